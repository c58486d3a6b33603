package source

import (
	"fmt"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
)

// Contents are what an SRPM says of itself and of the files in it.
type Contents struct {
	Package rpm.NEVRA `json:"package"`
	License string    `json:"license,omitempty"`
	Vendor  string    `json:"vendor,omitempty"`
	Files   []Content `json:"files"`
}

// Content is a file of an SRPM; the digest is its header's.
type Content struct {
	File string `json:"file"`
	Size int64  `json:"size"` // bytes
	// Algorithm is md5, sha1, sha224, sha256, sha384 or sha512; Digest is
	// lower-case hexadecimal.
	Algorithm string `json:"algorithm"`
	Digest    string `json:"digest"`
}

// Describe reads the header of an SRPM, in the header's order of files. Behind
// them comes the tarball that the SRPM leaves out and the recipe names, if any;
// its File is where it lies.
func Describe(srpm string, tarball recipe.Tarball) (Contents, error) {
	s, err := openSRPM(srpm, tarball)
	if err != nil {
		return Contents{}, fmt.Errorf("describing %s: %w", srpm, err)
	}
	defer s.file.Close()
	h := s.pkg.Header
	c := Contents{Package: s.pkg.NEVRA(), License: h.String(rpm.TagLicense), Vendor: h.String(rpm.TagVendor)}
	for _, name := range s.names {
		f := s.files[name]
		if f.Digest == "" {
			continue // a %ghost of the header: it has no content
		}
		c.Files = append(c.Files, Content{name, f.Size, f.DigestAlgo.String(), f.Digest})
	}
	if name := tarball.Name(); name != "" {
		c.Files = append(c.Files, Content{name, s.files[name].Size, "sha256", tarball.SHA256})
	}
	return c, nil
}
