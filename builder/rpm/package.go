// Package rpm is the RPM file format: lead, signature header, header and
// payload, names and rpm's order of versions. It reads packages as streams in
// bounded memory, verifies every digest and signature they carry, and makes
// headers and writes them back byte for byte.
//
// A hostile package costs an error: nothing is allocated for bytes that did
// not come, and nothing panics. The format is that of rpm 4 (EL5 on); packages
// of rpm 3, without a header region, can be read.
package rpm

import (
	"bytes"
	"fmt"
	"io"
)

// Package is what stands before the payload of a package. It does not change.
type Package struct {
	Lead      Lead
	Signature *Header
	Header    *Header
	// PayloadOffset is where the payload starts in the file.
	PayloadOffset int64
}

// ReadPackage reads lead, signature header and header, and leaves r at the
// first byte of the payload. It checks their form, no digest: that is Verify.
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

// padding is the number of zeros that bring the signature header to a multiple
// of 8.
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

// WriteTo writes everything up to the payload; for a package that was read,
// the bytes that were read.
func (p *Package) WriteTo(w io.Writer) (int64, error) {
	var buf bytes.Buffer
	buf.Write(p.Lead[:])
	buf.Write(p.Signature.raw)
	buf.Write(make([]byte, p.padding()))
	buf.Write(p.Header.raw)
	return buf.WriteTo(w)
}

// IsSource reports whether the package is an SRPM: it names no SRPM that it was
// made from.
func (p *Package) IsSource() bool { return !p.Header.Has(TagSourceRPM) }

// SourceRPM is the file name of the SRPM the package was made from, empty for
// an SRPM.
func (p *Package) SourceRPM() string { return p.Header.String(TagSourceRPM) }

// BuildTime is when the package was built, in seconds since 1970.
func (p *Package) BuildTime() int64 {
	t, _ := p.Header.Int(TagBuildTime)
	return t
}

// InstalledSize is what the package's files take, in bytes.
func (p *Package) InstalledSize() int64 { return p.Header.either(TagLongSize, TagSize) }

// ArchiveSize is the size of the payload before compression, in bytes; 0 where
// the package does not say.
func (p *Package) ArchiveSize() int64 {
	if n := p.Signature.either(SigTagLongPayloadSize, SigTagPayloadSize); n > 0 {
		return n
	}
	return p.Header.either(TagArchiveSize) // of packages of rpm 4.0
}
