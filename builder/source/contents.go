package source

import (
	"fmt"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
)

// Contents describes an SRPM and the files in it, as its header does.
type Contents struct {
	Package rpm.NEVRA `json:"package"`
	License string    `json:"license,omitempty"`
	Vendor  string    `json:"vendor,omitempty"`
	Files   []Content `json:"files"`
}

// Content is a file of an SRPM, with the digest in the header.
type Content struct {
	File string `json:"file"`
	Size int64  `json:"size"` // bytes
	// Algorithm is md5, sha1, sha224, sha256, sha384 or sha512. Digest is in
	// lower-case hexadecimal digits.
	Algorithm string `json:"algorithm"`
	Digest    string `json:"digest"`
}

// Describe reads the header of an SRPM. The files are in the header's order. If
// tarball is not empty, it is the last file: the one that the SRPM leaves out.
func Describe(in Files, tarball recipe.Tarball) (Contents, error) {
	s, err := openSRPM(in, tarball)
	if err != nil {
		return Contents{}, fmt.Errorf("describing %s: %w", in.Name, err)
	}
	h := s.pkg.Header
	c := Contents{Package: s.pkg.NEVRA(), License: h.String(rpm.TagLicense), Vendor: h.String(rpm.TagVendor)}
	for _, name := range s.names {
		f := s.files[name]
		if f.Digest == "" {
			continue // a %ghost, which has no content
		}
		c.Files = append(c.Files, Content{name, f.Size, f.DigestAlgo.String(), f.Digest})
	}
	if name := tarball.Name(); name != "" {
		c.Files = append(c.Files, Content{name, s.files[name].Size, "sha256", tarball.SHA256})
	}
	return c, nil
}
