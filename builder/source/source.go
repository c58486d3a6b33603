// Package source makes the topdir of a build out of an SRPM and a recipe.
//
// Prepare writes the topdir as one tar: SPECS, SOURCES, and the empty folders that
// rpmbuild needs, with the recipe's changes made. Nothing is unpacked on the host,
// and only the spec and the edited files are kept in memory: the kernel tree is
// streamed from the SRPM through the decompressor, the edits and a tar writer to
// the output. The tarball is not compressed again, because %setup looks at a
// file's first bytes and not at its name.
//
// The changes are made in this order:
//
//   - the new names in the spec that the recipe's tag asks for, and the edits of
//     the spec;
//   - the files of SOURCES: added files, edits, and the options of the kernel;
//   - the kernel tree: patches, edits, and the EXTRAVERSION of its Makefile.
//
// So an edit of the spec sees the new names, and an edit of the tree sees the
// patches, but EXTRAVERSION as it was shipped.
//
// Inspect finds out the same changes without an output. It stops reading as soon
// as it has seen every file that the recipe touches. Both functions report
// everything that does not fit at once, as one *MismatchError. Key identifies
// their results, for a cache. Describe lists the files of an SRPM.
package source

import (
	"bytes"

	"namibuild/builder/rpm"
)

// Change is one file that the recipe changes.
type Change struct {
	// Path is the file's path in the build: "kernel.spec", a file of SOURCES with
	// "SOURCES/" in front, or a file of the kernel tree with the (renamed) top
	// directory in front.
	Path          string
	Before, After []byte
	// From is the former path of a file that a patch renames. It is empty for other
	// files.
	From string
	// OldMode and Mode are modes as git has them (0100644, 0100755). OldMode is 0
	// for a file that is added, Mode for one that is deleted, and both for a file
	// whose mode stays.
	OldMode, Mode uint32
}

// same tells whether nothing changes.
func (c Change) same() bool {
	return bytes.Equal(c.Before, c.After) && c.From == "" && c.OldMode == c.Mode
}

// Rename is one of the names that a tag changes. What is "distro_build",
// "kversion", "Source0", "tarball", "directory" or "EXTRAVERSION", or, for specs
// other than those of el6, the macro that has the release.
type Rename struct {
	What, From, To string
}

// Preview is what a recipe does to an SRPM.
type Preview struct {
	// Package is the name of the SRPM, without the tag.
	Package rpm.NEVRA
	// Spec and Tarball are the names of the files in the SRPM. Tarball is empty if
	// the recipe has no tag and changes nothing in the tree.
	Spec, Tarball string
	// Epoch is the build time of the SRPM, in seconds since 1970. It is the clock
	// of the build.
	Epoch int64
	// BuildRequires are those of the SRPM, as "name" or "name >= version".
	BuildRequires []string
	Renames       []Rename
	// Changes has the spec, the files of SOURCES, the patched files, the Makefile
	// of the tree if a tag changes it, and the edited files, each in the recipe's
	// order. A file that stays as it is has no entry.
	Changes []Change
	// Notes are sentences about changes that were made in another way than they
	// were written, such as hunks at other lines.
	Notes []string
	// Warnings are sentences about what is allowed but probably not intended.
	Warnings []string
}
