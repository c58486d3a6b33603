// Package recipe is what a person asks for: one page of YAML that names a
// kernel SRPM, the edits to make in it and the packages wanted of it.
//
// Parse reads and judges a recipe, Load also finds it. Parse reports every fault of a page at once,
// each with file, line, column and what was expected there.
package recipe

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Recipe is one page of YAML, checked. It is not changed after Parse.
type Recipe struct {
	// Name is what the command line calls it; lower case, digits, dots, dashes.
	Name string
	// Description is one line for `namibuild recipes`.
	Description string
	// Image names the builder image, one of Images.
	Image string
	// Source says where the SRPM comes from and why it may be trusted.
	Source Source
	// Keys is the content of the file Source.Key, as Load has read it; Parse
	// leaves it out.
	Keys []byte
	// Tag is put behind the release number everywhere the spec and the tree
	// carry it; empty leaves every name as it is.
	Tag string
	// Config are options of the kernel's configuration, in the page's order.
	// Each is looked up in the built kernels' .config afterwards.
	Config []Option
	// Patches are made in the kernel tree in this order, before the edits.
	Patches []Patch
	// Sources are put into SOURCES, beside or over what the SRPM has there,
	// before the edits.
	Sources []Added
	// Edits are made in this order.
	Edits []Edit
	// Rpmbuild are the switches rpmbuild gets.
	Rpmbuild Rpmbuild
	// ModuleKey says what signs the kernel's modules.
	ModuleKey ModuleKey
	// Packages are the names of the packages that must come out.
	Packages []string
	// Proof is what a boot of the kernel must show.
	Proof Proof
	// Stock: AsStock has taken the recipe's changes off.
	Stock bool
	// Objects is about how many object files the build compiles: the first
	// estimate of the progress display. 0: not known.
	Objects int
	// Dir is the host's folder that holds the recipe's file; empty for a
	// shipped recipe and after Parse.
	Dir string
	// files is the folder of a shipped recipe; nil for one of the host.
	files fs.FS
}

// AsStock is the recipe without what it changes: the vendor's own kernel, built
// in the same way, with the proof for that.
func (r Recipe) AsStock() Recipe {
	r.Tag, r.Config, r.Patches, r.Sources, r.Edits = "", nil, nil, nil, nil
	r.Proof, r.Stock = r.Proof.ForStock(), true
	return r
}

// Files is the folder that holds the recipe's file, in the binary or on the
// host; Source.Pack is a folder of it.
func (r Recipe) Files() fs.FS {
	if r.files != nil {
		return r.files
	}
	return os.DirFS(cmp.Or(r.Dir, "."))
}

// Source is where the SRPM comes from: exactly one of URL, File and Pack is
// set. URL and File need SHA256 or SignedBy; both together are both checked.
type Source struct {
	URL string `json:"url"`
	// Mirrors are URLs of the same bytes, tried in their order after URL.
	Mirrors []string `json:"mirrors,omitempty"`
	// File is a path of the host. As written it starts at the recipe's folder;
	// Load puts that folder in front.
	File string `json:"file"`
	// Pack is a folder beside the recipe with a Dockerfile whose last stage
	// holds one .src.rpm and nothing else.
	Pack string `json:"pack"`
	// SHA256 is 64 lower-case hexadecimal digits, or empty.
	SHA256 string `json:"sha256"`
	// SignedBy is the fingerprint (40 hexadecimal digits, upper case) of an
	// OpenPGP key that namibuild ships or that is in Key, or empty.
	SignedBy string `json:"signedBy"`
	// Key is a file of public keys beside the recipe, or empty.
	Key string `json:"key,omitempty"`
	// Tarball is the kernel's, of an SRPM that leaves it out (NoSource).
	Tarball Tarball `json:"tarball,omitzero"`
}

// Tarball is a file of SOURCES that an SRPM names and does not hold; exactly one
// of URL and File is set, or nothing at all.
type Tarball struct {
	URL string `json:"url,omitempty"`
	// File is a path of the host, as Source.File.
	File   string `json:"file,omitempty"`
	SHA256 string `json:"sha256"`
}

// Name is the file's in SOURCES; empty for none.
func (t Tarball) Name() string {
	if t == (Tarball{}) {
		return ""
	}
	return path.Base(cmp.Or(t.URL, filepath.ToSlash(t.File)))
}

// Place is where the file of an edit lies.
type Place string

const (
	// InTree is the kernel tree inside the SRPM's tarball.
	InTree Place = ""
	// InSpec is the spec: the one that the SRPM has.
	InSpec Place = "spec"
	// InSources are the SRPM's other files, those of SOURCES.
	InSources Place = "sources"
)

// Edit replaces text in one file. It fails unless what it looks for stands
// there exactly Times times. Exactly one of Find and Regexp is set.
type Edit struct {
	In Place `json:"in,omitempty"`
	// File is a path in the tree or the name of a file of SOURCES; empty for
	// the spec.
	File string `json:"file,omitempty"`
	// Find is an exact text, Regexp an expression in Go's syntax (RE2) whose ^
	// and $ stand for the ends of lines.
	Find   string `json:"find,omitempty"`
	Regexp string `json:"regexp,omitempty"`
	// Replace stands for each match; beside Regexp, $1 and ${name} are what its
	// groups have matched and $$ is a dollar.
	Replace string `json:"replace"`
	Times   int    `json:"times"`
}

// Patch is a unified diff of the kernel tree.
type Patch struct {
	// File lies beside the recipe.
	File string
	// Strip is how many folders to take off the front of each name in it.
	Strip int
	// Content is the file's, as Load has read it; Parse leaves it out.
	Content []byte
}

// Added is a file that goes into SOURCES.
type Added struct {
	// File lies beside the recipe; As is its name in SOURCES.
	File, As string
	// Content is the file's, as Load has read it; Parse leaves it out.
	Content []byte
}

// Rpmbuild are the switches of one rpmbuild run.
type Rpmbuild struct {
	With    []string
	Without []string
	Define  []Define
}

// Define is one `--define 'name value'`, in the recipe's order.
type Define struct{ Name, Value string }

// KeyMode is where the key that signs the modules comes from.
type KeyMode string

const (
	// KeyEphemeral is made in the build and gone with it, as the spec has it: two
	// builds are never equal.
	KeyEphemeral KeyMode = ""
	// KeyPersistent is a key file of the host, whose private half never enters
	// the container.
	KeyPersistent KeyMode = "persistent"
	// KeyRecorded is the public half and the signatures of an earlier build.
	KeyRecorded KeyMode = "recorded"
)

// ModuleKey is what signs the kernel's modules.
type ModuleKey struct {
	Mode KeyMode
	// File is a path of the host when Mode is KeyPersistent (as written it starts
	// at the recipe's folder; Load puts that folder in front), and lies beside
	// the recipe when it is KeyRecorded.
	File string
	// Content is the recorded file's, as Load has read it; Parse leaves it out.
	Content []byte
}
