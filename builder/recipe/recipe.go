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
)

// Recipe is one page of YAML, checked. It is not changed after Parse.
type Recipe struct {
	// Name is what the command line calls it; lower case, digits, dots, dashes.
	Name string
	// Description is one line for `namibuild recipes`.
	Description string
	// Image names the builder image: centos6 or debian12.
	Image string
	// Source says where the SRPM comes from and why it may be trusted.
	Source Source
	// Tag is put behind the release number everywhere the spec and the tree
	// carry it; empty leaves every name as it is.
	Tag string
	// Edits are made in the kernel tree inside the SRPM's tarball.
	Edits []Edit
	// Rpmbuild are the switches rpmbuild gets.
	Rpmbuild Rpmbuild
	// Packages are the names of the packages that must come out.
	Packages []string
	// Objects is about how many object files the build compiles: the first
	// estimate of the progress display. 0: not known.
	Objects int
	// Dir is the host's folder that holds the recipe's file; empty for a
	// shipped recipe and after Parse.
	Dir string
	// files is the folder of a shipped recipe; nil for one of the host.
	files fs.FS
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
	// OpenPGP key that namibuild ships, or empty.
	SignedBy string `json:"signedBy"`
}

// Edit replaces an exact text in one file of the kernel tree. It fails unless
// Find stands there exactly Times times.
type Edit struct {
	File    string `json:"file"`
	Find    string `json:"find"`
	Replace string `json:"replace"`
	Times   int    `json:"times"`
}

// Rpmbuild are the switches of one rpmbuild run.
type Rpmbuild struct {
	With    []string
	Without []string
	Define  []Define
}

// Define is one `--define 'name value'`, in the recipe's order.
type Define struct{ Name, Value string }
