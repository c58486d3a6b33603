// Package rpm reads, verifies and writes RPM packages as streams, in bounded memory.
//
// A file has four parts: a lead, a signature header, a header, and a payload, which
// is a compressed archive. ReadPackage reads everything before the payload;
// Package.Payload then reads its files one by one. Package.Files, Dependencies and
// Changelog read the lists of the header, Header the single tags.
//
// Verify checks every digest in a package, VerifySigned also its OpenPGP signatures.
// Inspect does both and returns the digest of the file, also as it was before it was
// signed, all in one read. WithSignatures and WithPayloadDigests return a package
// with another signature header; WriteTo writes it, and the payload is copied behind
// it. What was read is written back byte for byte.
//
// NEVRA.Compare and CompareVersions have rpm's order of versions.
//
// A hostile package is an error: memory is allocated only for bytes that were read,
// and nothing panics. The format is that of rpm 4, which EL5 and later have.
// Packages of rpm 3, whose header has no region, can be read.
package rpm

import (
	"bytes"
	"fmt"
	"io"
)

// Package is everything before the payload of a package. It does not change.
type Package struct {
	Lead      Lead
	Signature *Header
	Header    *Header
	// PayloadOffset is where the payload starts in the file.
	PayloadOffset int64
}

// ReadPackage reads lead, signature header and header, and leaves r at the first
// byte of the payload. It checks their form but no digest, which Verify does.
func ReadPackage(r io.Reader) (*Package, error) {
	p := new(Package)
	lead, err := readFull(r, nil, leadSize)
	if err != nil {
		return nil, fmt.Errorf("reading lead: %w", err)
	}
	p.Lead = Lead(lead)
	if err := p.Lead.check(); err != nil {
		return nil, fmt.Errorf("reading lead: %w", err)
	}
	if p.Signature, err = readHeader(r, RegionSignatures, signatureLimits); err != nil {
		return nil, fmt.Errorf("reading signature header: %w", err)
	}
	if err := readPadding(r, p.padding()); err != nil {
		return nil, fmt.Errorf("reading signature header: %w", err)
	}
	if p.Header, err = readHeader(r, RegionImmutable, headerLimits); err != nil {
		return nil, fmt.Errorf("reading header: %w", err)
	}
	p.PayloadOffset = leadSize + p.Signature.Size() + int64(p.padding()) + p.Header.Size()
	return p, nil
}

// padding returns the number of zeros that bring the size of the signature header to
// a multiple of 8.
func (p *Package) padding() int { return int(-p.Signature.Size() & 7) }

func readPadding(r io.Reader, n int) error {
	pad, err := readFull(r, nil, n)
	if err != nil {
		return err
	}
	if !allZero(pad) {
		return fmt.Errorf("padding got %x, want zeros", pad)
	}
	return nil
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// WriteTo writes everything before the payload. For a package that was read, these
// are the bytes that were read.
func (p *Package) WriteTo(w io.Writer) (int64, error) {
	var buf bytes.Buffer
	buf.Write(p.Lead[:])
	buf.Write(p.Signature.raw)
	buf.Write(make([]byte, p.padding()))
	buf.Write(p.Header.raw)
	return buf.WriteTo(w)
}

// IsSource reports whether the package is an SRPM, which does not name an SRPM that
// it was made from.
func (p *Package) IsSource() bool { return !p.Header.Has(TagSourceRPM) }

// SourceRPM returns the file name of the SRPM that the package was made from. It is
// empty for an SRPM.
func (p *Package) SourceRPM() string { return p.Header.String(TagSourceRPM) }

// BuildTime returns when the package was built, in seconds since 1970.
func (p *Package) BuildTime() int64 {
	t, _ := p.Header.Int(TagBuildTime)
	return t
}

// InstalledSize returns the size of the package's files, in bytes.
func (p *Package) InstalledSize() int64 { return p.Header.either(TagLongSize, TagSize) }

// ArchiveSize returns the size of the payload before compression, in bytes, or 0 if
// the package does not have it.
func (p *Package) ArchiveSize() int64 {
	if n := p.Signature.either(SigTagLongPayloadSize, SigTagPayloadSize); n > 0 {
		return n
	}
	return p.Header.either(TagArchiveSize) // of packages of rpm 4.0
}
