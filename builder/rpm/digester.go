package rpm

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// WithPayloadDigests returns the package with a SHA-256 of its header beside the
// header, and with those of its payload in the header, as rpm has made packages
// since 4.14. A package that has them is returned as it is. The header changes,
// so signatures are dropped and the other digests are made anew. The package must
// have been verified. payload stands at the first byte of the payload and is read
// twice.
func (p *Package) WithPayloadDigests(payload io.ReadSeeker) (*Package, error) {
	if p.HasPayloadDigests() {
		return p, nil
	}
	start, err := payload.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	d := NewPayloadDigester(p)
	taps := d.Taps()
	c := &checks{taps: Taps{Content: taps.Content}}
	if err := c.readPayload(&payloadSource{r: payload, to: taps.Payload}); err != nil {
		return nil, err
	}
	if _, err := d.Header(); err != nil {
		return nil, err
	}
	if _, err := payload.Seek(start, io.SeekStart); err != nil {
		return nil, err
	}
	if _, err := io.Copy(d, payload); err != nil {
		return nil, err
	}
	return d.Package()
}

// PayloadDigester is WithPayloadDigests for callers that read the payload
// themselves: first into Taps, for the digests in the header that Header makes,
// then into Write, for the digest of header and payload in the signature header.
// Package is the result.
type PayloadDigester struct {
	p               *Package
	stored, content hash.Hash
	header          *Header
	md5             hash.Hash // of header and payload
	size            int64     // of the payload
}

// NewPayloadDigester starts on a package without payload digests.
func NewPayloadDigester(p *Package) *PayloadDigester {
	return &PayloadDigester{p: p, stored: sha256.New(), content: sha256.New(), md5: md5.New()}
}

// Taps returns what gets the payload in the first read.
func (d *PayloadDigester) Taps() Taps { return Taps{Payload: d.stored, Content: d.content} }

// Header ends the first read and makes the header with the digests.
func (d *PayloadDigester) Header() (*Header, error) {
	d.header = d.p.Header
	if !d.header.Has(TagPayloadDigest) {
		var err error
		d.header, err = MakeHeader(RegionImmutable, append(d.header.Values(),
			StringsValue(TagPayloadDigest, hex.EncodeToString(d.stored.Sum(nil))),
			Int32Value(TagPayloadDigestAlgo, uint32(DigestSHA256)),
			StringsValue(TagPayloadDigestAlt, hex.EncodeToString(d.content.Sum(nil))))...)
		if err != nil {
			return nil, err
		}
	}
	hashed(d.md5, d.header)
	return d.header, nil
}

// Write gets the payload in the second read. It returns no error.
func (d *PayloadDigester) Write(b []byte) (int, error) {
	d.size += int64(len(b))
	return d.md5.Write(b)
}

// Package ends the second read and returns the package with the digests.
func (d *PayloadDigester) Package() (*Package, error) {
	return d.p.withHeader(d.header, d.md5.Sum(nil), d.size)
}
