// Package recipe reads recipes. A recipe is one page of YAML in which a person
// asks for a build: it names a kernel SRPM, the changes to make in it, and the
// packages that the build must make.
//
// Load finds a recipe by its path, or by its name among those that come with
// namibuild, and reads the files beside it, such as patches. Parse reads a page
// alone. Both report every fault of a page at once, as Faults: each with file,
// line, column, and what must stand there. A Recipe without faults is not
// changed after it was read; AsStock makes another one of it.
//
// recipes/README.md describes the keys of a page.
package recipe

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Recipe is a checked page of YAML. It is not changed after Parse.
type Recipe struct {
	// Name is the name on the command line: lower-case letters, digits, dots and
	// dashes.
	Name string
	// Description is one line for `namibuild recipes`.
	Description string
	// Image names the builder image, one of Images.
	Image string
	// Source is where the SRPM comes from and what it is verified with.
	Source Source
	// Keys is the content of the file Source.Key. Load reads it, Parse does not.
	Keys []byte
	// Tag is put behind the release number everywhere the spec and the tree
	// have it. If it is empty, every name stays as it is.
	Tag string
	// Config are options of the kernel's configuration, in the page's order. The
	// .config of each built kernel must have them.
	Config []Option
	// Patches are applied to the kernel tree in this order, before the edits.
	Patches []Patch
	// Sources are put into SOURCES before the edits are made. They replace files
	// of the SRPM that have the same name.
	Sources []Added
	// Edits are made in this order.
	Edits []Edit
	// Rpmbuild are the switches of rpmbuild.
	Rpmbuild Rpmbuild
	// ModuleKey is what signs the kernel's modules.
	ModuleKey ModuleKey
	// Packages are the names of the packages that the build must make.
	Packages []string
	// Proof is what a boot of the kernel must show.
	Proof Proof
	// Stock tells that this is a recipe that AsStock made.
	Stock bool
	// Objects is about how many object files the build compiles: the first
	// estimate of the progress display. 0 means not known.
	Objects int
	// Dir is the host's folder with the recipe's file. It is empty for a shipped
	// recipe, and after Parse.
	Dir string
	// Path is the path of the recipe's file, as Load got it. It is empty for a shipped
	// recipe, and after Parse.
	Path string
	// files is the folder of a shipped recipe, or nil for one of the host.
	files fs.FS
}

// AsStock returns the recipe without its changes: it builds the vendor's own
// kernel in the same way, and has the proof for that kernel.
func (r Recipe) AsStock() Recipe {
	r.Tag, r.Config, r.Patches, r.Sources, r.Edits = "", nil, nil, nil, nil
	r.Proof, r.Stock = r.Proof.forStock(), true
	return r
}

// Files returns the folder with the recipe's file, in the binary or on the host.
// Source.Pack is a folder in it.
func (r Recipe) Files() fs.FS {
	if r.files != nil {
		return r.files
	}
	return os.DirFS(cmp.Or(r.Dir, "."))
}

// Source is where the SRPM comes from. Exactly one of URL, File and Pack is set.
// URL and File need SHA256 or SignedBy; if both are set, both are verified.
type Source struct {
	URL string `json:"url"`
	// Mirrors are URLs of the same bytes. They are tried in this order after URL.
	Mirrors []string `json:"mirrors,omitempty"`
	// File is a path of the host. In a page it is relative to the recipe's
	// folder, which Load puts in front of it.
	File string `json:"file"`
	// Pack is a folder beside the recipe with a Dockerfile, whose last stage has
	// one .src.rpm and nothing else.
	Pack string `json:"pack"`
	// SHA256 is 64 lower-case hexadecimal digits, or empty.
	SHA256 string `json:"sha256"`
	// SignedBy is the fingerprint (40 upper-case hexadecimal digits) of an
	// OpenPGP key that comes with namibuild or is in the file Key, or empty.
	SignedBy string `json:"signedBy"`
	// Key is a file of public keys beside the recipe, or empty.
	Key string `json:"key,omitempty"`
	// Tarball is the kernel's tarball, for an SRPM that leaves it out (NoSource).
	Tarball Tarball `json:"tarball,omitzero"`
}

// Tarball is a file of SOURCES that an SRPM names and does not have. Exactly one
// of URL and File is set, or nothing at all.
type Tarball struct {
	URL string `json:"url,omitempty"`
	// File is a path of the host, like Source.File.
	File   string `json:"file,omitempty"`
	SHA256 string `json:"sha256"`
}

// Name returns the file's name in SOURCES, or "" if there is no tarball.
func (t Tarball) Name() string {
	if t == (Tarball{}) {
		return ""
	}
	return path.Base(cmp.Or(t.URL, filepath.ToSlash(t.File)))
}

// Place is where the file of an edit is.
type Place string

const (
	// InTree is the kernel tree inside the SRPM's tarball.
	InTree Place = ""
	// InSpec is the spec of the SRPM.
	InSpec Place = "spec"
	// InSources are the other files of the SRPM, those of SOURCES.
	InSources Place = "sources"
)

// Edit replaces text in one file. It fails unless the file has exactly Times
// matches. Exactly one of Find and Regexp is set.
type Edit struct {
	In Place `json:"in,omitempty"`
	// File is a path in the tree or the name of a file of SOURCES. It is empty
	// for the spec.
	File string `json:"file,omitempty"`
	// Find is an exact text. Regexp is an expression in Go's syntax (RE2), whose
	// ^ and $ match at the ends of lines.
	Find   string `json:"find,omitempty"`
	Regexp string `json:"regexp,omitempty"`
	// Replace is put in the place of each match. With Regexp, $1 and ${name} in
	// it are what the groups have matched, and $$ is a dollar.
	Replace string `json:"replace"`
	Times   int    `json:"times"`
}

// Patch is a unified diff of the kernel tree.
type Patch struct {
	// File is a path in the recipe's folder.
	File string
	// Strip is how many leading folders to remove from each name in the diff.
	Strip int
	// Content is that of the file. Load reads it, Parse does not.
	Content []byte
}

// Added is a file that goes into SOURCES.
type Added struct {
	// File is a path in the recipe's folder, As the name in SOURCES.
	File, As string
	// Content is that of the file. Load reads it, Parse does not.
	Content []byte
}

// Rpmbuild are switches of rpmbuild.
type Rpmbuild struct {
	With    []string
	Without []string
	Define  []Define
}

// Define is one `--define 'NAME VALUE'`.
type Define struct{ Name, Value string }

// KeyMode is where the key that signs the modules comes from.
type KeyMode string

const (
	// KeyEphemeral is a key that the spec makes during the build and that is lost
	// afterwards. Two builds with it are never equal.
	KeyEphemeral KeyMode = ""
	// KeyPersistent is a key in a file of the host. Its private half never enters
	// the container.
	KeyPersistent KeyMode = "persistent"
	// KeyRecorded is the public half of a key, with the signatures that it made in
	// an earlier build.
	KeyRecorded KeyMode = "recorded"
)

// ModuleKey is what signs the kernel's modules.
type ModuleKey struct {
	Mode KeyMode
	// File is a path of the host, like Source.File, if Mode is KeyPersistent, and
	// a path in the recipe's folder if it is KeyRecorded.
	File string
	// Content is that of the file if Mode is KeyRecorded. Load reads it, Parse
	// does not.
	Content []byte
}
