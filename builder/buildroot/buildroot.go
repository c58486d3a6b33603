// Package buildroot describes what a build ran in: the packages installed in its
// builder image, each with its version, its source and the digest of its file. (It
// has nothing to do with rpm's %{buildroot}, the folder that packages are made
// from.)
//
// An image has a list of its packages, at Path, which images/*/buildroot.sh writes
// while the image is built. Parse reads this list. Root.JSON is the form in which a
// set has it, and ParseJSON reads that. Root.PURL names a package for an SBOM.
package buildroot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Path is the path of the list in an image.
const Path = "/usr/lib/namibuild/buildroot"

// MaxSize is the size limit of the list, in bytes. The list of an image with 190
// packages of Debian has 40 thousand; that of all packages of Debian would have 20
// million.
const MaxSize = 32 << 20

// The kinds of packages.
const (
	Deb = "deb"
	RPM = "rpm"
)

// Package is one installed package. Fields that are not known are empty.
type Package struct {
	// Kind is Deb or RPM.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Version is complete: [epoch:]version[-release].
	Version string `json:"version"`
	Arch    string `json:"arch"`
	// Source is what the package was built from, according to the package database:
	// the file name of an SRPM, or name and version of Debian's source package.
	Source string `json:"source,omitempty"`
	// SHA256 is the digest of the package's file, HeaderSHA1 that of its header, as
	// rpm has it.
	SHA256     string `json:"sha256,omitempty"`
	HeaderSHA1 string `json:"headerSHA1,omitempty"`
	// Licenses are the names that the package uses.
	Licenses []string `json:"licenses,omitempty"`
}

// Root has the packages of one builder image, sorted.
type Root struct {
	// Distribution and Release are ID and VERSION_ID of os-release, such as debian
	// and 12.
	Distribution string    `json:"distribution"`
	Release      string    `json:"release"`
	Packages     []Package `json:"packages"`
}

// ParseJSON reads what JSON has written, and checks it as Parse does.
func ParseJSON(data []byte) (Root, error) {
	var r Root
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Root{}, fmt.Errorf("reading the build root: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Root{}, errors.New("reading the build root: there is more text behind its end")
	}
	if err := r.check(); err != nil {
		return Root{}, err
	}
	return r, nil
}

// JSON returns the Root for a set: the same bytes for the same packages.
func (r Root) JSON() []byte {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		panic(err) // cannot happen: a Root is made of text
	}
	return append(data, '\n')
}
