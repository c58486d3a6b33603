package rpm

import (
	"bufio"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
)

// SignatureTags are the tags of the signature header that hold signatures of
// the package. Digests and sizes are not among them, nor signatures of files.
var SignatureTags = []Tag{SigTagDSA, SigTagRSA, SigTagOpenPGP, SigTagPGP, SigTagGPG}

// maxSignatureData is the largest data of a signature header that rpm before
// 4.15 reads (lib/signature.c, rpmReadSignature).
const maxSignatureData = 8192

// WithSignatures is the package with these signatures in place of those it
// has: values of SignatureTags, none for an unsigned package. All else stays,
// byte for byte.
func (p *Package) WithSignatures(signatures ...Value) (*Package, error) {
	return p.withSignatureValues(SignatureTags, signatures)
}

// Graft is the package under the signature header of another one, which is said
// to be the same: signatures, digests and sizes are then right, or the two
// differ.
func (p *Package) Graft(signed *Package) *Package { return rebuilt(p.Lead, signed.Signature, p.Header) }

// withSignatureValues replaces values of the signature header.
func (p *Package) withSignatureValues(drop []Tag, values []Value) (*Package, error) {
	kept := slices.DeleteFunc(p.Signature.Values(), func(v Value) bool { return slices.Contains(drop, v.tag) })
	h, err := MakeHeader(RegionSignatures, append(kept, values...)...)
	if err != nil {
		return nil, err
	}
	if n := len(h.data()); n > maxSignatureData {
		return nil, fmt.Errorf("making header: %d bytes of signatures and digests, rpm of EL6 reads at most %d", n, maxSignatureData)
	}
	return rebuilt(p.Lead, h, p.Header), nil
}

// rebuilt is a package of these parts.
func rebuilt(lead Lead, signature, header *Header) *Package {
	p := &Package{Lead: lead, Signature: signature, Header: header}
	p.PayloadOffset = p.HeaderOffset() + header.Size()
	return p
}

// HeaderOffset is where the header starts in the file: what a signature of
// header and payload covers is from there to the end.
func (p *Package) HeaderOffset() int64 {
	return leadSize + p.Signature.Size() + int64(p.padding())
}

// WithPayloadDigests is the package with a SHA-256 of its header, and of its
// payload in the header, as rpm has made packages since 4.14; a package that has
// them stays as it is. The header changes, so signatures are dropped and its
// other digests are made anew. payload stands at the first byte of the payload
// and is read twice. The package was verified before.
func (p *Package) WithPayloadDigests(payload io.ReadSeeker) (*Package, error) {
	if p.Header.Has(TagPayloadDigest) && p.Signature.Has(SigTagSHA256) {
		return p, nil
	}
	start, err := payload.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	header := p.Header
	if !header.Has(TagPayloadDigest) {
		if header, err = withPayloadDigests(header, payload); err != nil {
			return nil, err
		}
	}
	if _, err := payload.Seek(start, io.SeekStart); err != nil {
		return nil, err
	}
	return p.withHeader(header, payload)
}

// payloadDigests are the tags that WithPayloadDigests adds to a header, and
// digestsSince the version of rpm that writes them itself.
var payloadDigests = []Tag{TagPayloadDigest, TagPayloadDigestAlgo, TagPayloadDigestAlt}

const digestsSince = "4.14"

// AsBuilt is the package as rpmbuild made it: without signatures, and without
// digests that WithPayloadDigests has added, which an rpm of its version did not
// write. payload stands at the first byte of the payload and may be read.
func (p *Package) AsBuilt(payload io.Reader) (*Package, error) {
	if !p.Header.Has(TagPayloadDigest) || CompareVersions(p.Header.String(TagRPMVersion), digestsSince) >= 0 {
		return p.WithSignatures()
	}
	kept := slices.DeleteFunc(p.Header.Values(), func(v Value) bool { return slices.Contains(payloadDigests, v.tag) })
	header, err := MakeHeader(RegionImmutable, kept...)
	if err != nil {
		return nil, err
	}
	was, err := p.withHeader(header, payload)
	if err != nil {
		return nil, err
	}
	return was.withSignatureValues([]Tag{SigTagSHA256}, nil)
}

// withPayloadDigests is a header with the digests of the payload in it.
func withPayloadDigests(h *Header, payload io.Reader) (*Header, error) {
	stored, plain := sha256.New(), sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(payload, stored), 1<<16)
	content, err := decompress(in)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if _, err := io.Copy(plain, content); err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return nil, err
	}
	return MakeHeader(RegionImmutable, append(h.Values(),
		StringsValue(TagPayloadDigest, hex.EncodeToString(stored.Sum(nil))),
		Int32Value(TagPayloadDigestAlgo, uint32(DigestSHA256)),
		StringsValue(TagPayloadDigestAlt, hex.EncodeToString(plain.Sum(nil))))...)
}

// withHeader is the package with another header: its signatures are dropped, its
// digests and its size made anew.
func (p *Package) withHeader(h *Header, payload io.Reader) (*Package, error) {
	m := md5.New()
	m.Write(h.raw)
	n, err := io.Copy(m, payload)
	if err != nil {
		return nil, err
	}
	s1, s256 := sha1.Sum(h.raw), sha256.Sum256(h.raw)
	values := []Value{
		StringValue(SigTagSHA1, hex.EncodeToString(s1[:])),
		StringValue(SigTagSHA256, hex.EncodeToString(s256[:])),
		BytesValue(SigTagMD5, m.Sum(nil)),
	}
	drop := append([]Tag{SigTagSHA1, SigTagSHA256, SigTagMD5}, SignatureTags...)
	switch size := h.Size() + n; {
	case p.Signature.Has(SigTagLongSize):
		drop, values = append(drop, SigTagLongSize), append(values, Int64Value(SigTagLongSize, uint64(size)))
	case p.Signature.Has(SigTagSize):
		drop, values = append(drop, SigTagSize), append(values, Int32Value(SigTagSize, uint32(size)))
	}
	q, err := p.withSignatureValues(drop, values)
	if err != nil {
		return nil, err
	}
	return rebuilt(q.Lead, q.Signature, h), nil
}
