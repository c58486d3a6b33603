// Package graft puts the signatures of a published package on a package that was built
// again. If both builds made the same package, the result is the published file, byte
// for byte. No private key is needed.
package graft

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"namibuild/builder/rpm"
)

// Graft is a rebuilt package with the signatures of the published one.
type Graft struct {
	Package string `json:"package"`
	// Published and Grafted are the SHA-256 digests of both files.
	Published string `json:"published"`
	Grafted   string `json:"grafted"`
	Equal     bool   `json:"equal"`
}

// Files compares a published package with a rebuilt one that has its signatures. Both
// are paths of files; neither is changed.
func Files(published, rebuilt string) (Graft, error) {
	g := Graft{Package: filepath.Base(published)}
	signed, err := os.Open(published)
	if err != nil {
		return g, err
	}
	defer signed.Close()
	made, err := os.Open(rebuilt)
	if err != nil {
		return g, err
	}
	defer made.Close()
	h := sha256.New()
	p, err := rpm.ReadPackage(io.TeeReader(signed, h))
	if err != nil {
		return g, err
	}
	if _, err := io.Copy(h, signed); err != nil {
		return g, err
	}
	g.Published = fmt.Sprintf("%x", h.Sum(nil))
	if g.Grafted, err = graftedSum(p, made); err != nil {
		return g, err
	}
	g.Equal = g.Published == g.Grafted
	return g, nil
}

// graftedSum returns the digest of a rebuilt package that has the signature header of
// a published one. If signing has put digests of the payload into the published
// header, they are put into the rebuilt header too.
func graftedSum(signed *rpm.Package, made *os.File) (string, error) {
	p, err := rpm.ReadPackage(made)
	if err != nil {
		return "", err
	}
	start := p.PayloadOffset
	if signed.Header.Has(rpm.TagPayloadDigest) {
		if p, err = p.WithPayloadDigests(made); err != nil {
			return "", err
		}
	}
	h := sha256.New()
	if _, err := p.Graft(signed).WriteTo(h); err != nil {
		return "", err
	}
	if _, err := made.Seek(start, io.SeekStart); err != nil {
		return "", err
	}
	if _, err := io.Copy(h, made); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
