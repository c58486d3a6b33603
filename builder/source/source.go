// Package source turns an SRPM and a recipe into the topdir of one build: a
// single tar stream with SPECS, SOURCES and the empty folders that rpmbuild
// wants, the recipe's tag and edits made on the way.
//
// Nothing is unpacked on the host and nothing is kept but the spec and the
// edited files: the kernel tree runs from the SRPM through the decompressor,
// the edits and a tar writer to the output. The tarball is not compressed
// again; %setup looks at a file's first bytes, not at its name.
//
// The order is fixed: the tag's renaming of the spec, then the edits of the
// spec, then each file of SOURCES, the kernel's options last, then the tree; in
// the tree the patches, then the edits, then the Makefile's EXTRAVERSION. So an
// edit of the spec sees the new names, and one of the tree what the patches have
// made, but the Makefile's EXTRAVERSION as it was shipped.
//
// Inspect does the same without an output and stops reading as soon as every
// file that the recipe touches was seen. Both report whatever does not fit the
// recipe at once, as one *MismatchError.
package source

import (
	"bytes"

	"namibuild/builder/rpm"
)

// Change is one file that the recipe changes.
type Change struct {
	// Path is where the build sees it: "kernel.spec", a file of SOURCES with
	// "SOURCES/" in front, or a file of the kernel tree with the (renamed) top
	// directory in front.
	Path          string
	Before, After []byte
	// From is the path before, of a file that a patch renames; else empty.
	From string
	// OldMode and Mode are git's (0100644, 0100755), and 0 where there is no
	// such file before or after. Of a file whose mode stays both are 0.
	OldMode, Mode uint32
}

// same tells that nothing changes.
func (c Change) same() bool {
	return bytes.Equal(c.Before, c.After) && c.From == "" && c.OldMode == c.Mode
}

// Rename is one of the names that a tag changes. What is "distro_build",
// "kversion", "Source0", "tarball", "directory", "EXTRAVERSION", or the macro
// that is the knob of another family than el6.
type Rename struct {
	What, From, To string
}

// Preview is what a recipe does to an SRPM.
type Preview struct {
	// Package names the SRPM as it came, without the tag.
	Package rpm.NEVRA
	// Spec and Tarball are file names as the SRPM has them. Tarball is empty
	// where the recipe has neither tag nor edits: nothing asks for it then.
	Spec, Tarball string
	// Epoch is the SRPM's build time in seconds, the clock of the build.
	Epoch int64
	// BuildRequires are the SRPM's, as "name" or "name >= version".
	BuildRequires []string
	Renames       []Rename
	// Changes holds the spec, the files of SOURCES, the patched files, the
	// tree's Makefile (of a tag), then the edited files, each in the recipe's
	// order; a file that stays as it is has no entry.
	Changes []Change
	// Notes are sentences about what fitted in another way than it was written:
	// hunks at other lines.
	Notes []string
	// Warnings are sentences about what is allowed and hardly meant.
	Warnings []string
}
