package source

import (
	"fmt"

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

var algorithms = map[rpm.DigestAlgo]string{
	rpm.DigestMD5: "md5", rpm.DigestSHA1: "sha1", rpm.DigestSHA224: "sha224",
	rpm.DigestSHA256: "sha256", rpm.DigestSHA384: "sha384", rpm.DigestSHA512: "sha512",
}

// Describe reads the header of an SRPM, in the header's order of files.
func Describe(srpm string) (Contents, error) {
	s, err := openSRPM(srpm)
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
		algorithm, ok := algorithms[f.DigestAlgo]
		if !ok {
			return Contents{}, fmt.Errorf("describing %s: the digest of %s is of the unknown kind %d", srpm, name, f.DigestAlgo)
		}
		c.Files = append(c.Files, Content{name, f.Size, algorithm, f.Digest})
	}
	return c, nil
}
