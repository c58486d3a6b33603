// Package buildroot is what a build ran in: the packages of its builder image,
// each with its version, its source and the digest of its file. (It is not
// rpm's %{buildroot}, the folder that a package is made from.)
//
// An image holds its own list, which images/*/buildroot.sh wrote while the
// image was made; Parse reads it, Root as JSON is what a set keeps of it.
package buildroot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Path is where an image has its list.
const Path = "/usr/lib/namibuild/buildroot"

// MaxSize bounds the list, in bytes. A root of Debian's 190 packages needs 40
// thousand, one of all that Debian has 20 million.
const MaxSize = 32 << 20

// The kinds of packages.
const (
	Deb = "deb"
	RPM = "rpm"
)

// Package is one installed package. What is not known is empty.
type Package struct {
	// Kind is Deb or RPM.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Version is the whole of it: [epoch:]version[-release].
	Version string `json:"version"`
	Arch    string `json:"arch"`
	// Source is what it was built from, as its package database has it: an
	// SRPM's file name, or name and version of Debian's source package.
	Source string `json:"source,omitempty"`
	// SHA256 is that of the package's file, HeaderSHA1 what rpm calls the
	// digest of its header.
	SHA256     string `json:"sha256,omitempty"`
	HeaderSHA1 string `json:"headerSHA1,omitempty"`
	// Licenses are in the package's own words.
	Licenses []string `json:"licenses,omitempty"`
}

// Root is the packages of one builder image, sorted.
type Root struct {
	// Distribution and Release are os-release's ID and VERSION_ID: debian, 12.
	Distribution string    `json:"distribution"`
	Release      string    `json:"release"`
	Packages     []Package `json:"packages"`
}

// ParseJSON reads what a set keeps, as strictly as Parse.
func ParseJSON(data []byte) (Root, error) {
	var r Root
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Root{}, fmt.Errorf("reading the build root: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Root{}, errors.New("reading the build root: something follows its end")
	}
	if err := r.check(); err != nil {
		return Root{}, err
	}
	return r, nil
}

// JSON is the Root as a set keeps it: the same bytes for the same packages.
func (r Root) JSON() []byte {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		panic(err) // strings alone: cannot happen
	}
	return append(data, '\n')
}
