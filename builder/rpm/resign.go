package rpm

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// SignatureTags are the tags of the signature header that hold signatures of
// the package. Digests and sizes are not among them, nor signatures of files.
var SignatureTags = []Tag{SigTagDSA, SigTagRSA, SigTagOpenPGP, SigTagPGP, SigTagGPG}

// maxSignatureData is the largest data of a signature header that rpm before
// 4.15 reads (lib/signature.c, rpmReadSignature).
const maxSignatureData = 8192

// WithSignatures returns the package with these signatures in place of those it
// has: values of SignatureTags, or none for an unsigned package. Everything else
// stays the same, byte for byte.
func (p *Package) WithSignatures(signatures ...Value) (*Package, error) {
	return p.withSignatureValues(SignatureTags, signatures)
}

// Graft returns the package under the signature header of another package. Its
// signatures, digests and sizes are right only if both are the same package.
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

// rebuilt returns a package of these parts.
func rebuilt(lead Lead, signature, header *Header) *Package {
	p := &Package{Lead: lead, Signature: signature, Header: header}
	p.PayloadOffset = p.HeaderOffset() + header.Size()
	return p
}

// HeaderOffset returns where the header starts in the file. A signature of header
// and payload covers everything from there on.
func (p *Package) HeaderOffset() int64 {
	return leadSize + p.Signature.Size() + int64(p.padding())
}

// payloadDigests are the tags that a header with payload digests has.
// digestsSince is the version of rpm that began to write them.
var payloadDigests = []Tag{TagPayloadDigest, TagPayloadDigestAlgo, TagPayloadDigestAlt}

const digestsSince = "4.14"

// HasPayloadDigests reports whether the package has what WithPayloadDigests adds.
func (p *Package) HasPayloadDigests() bool {
	return p.Header.Has(TagPayloadDigest) && p.Signature.Has(SigTagSHA256)
}

// builtHeader returns the header that rpmbuild made: the package's own, or, if
// WithPayloadDigests added digests to it, a new one without them.
func (p *Package) builtHeader() (*Header, error) {
	if !p.Header.Has(TagPayloadDigest) || CompareVersions(p.Header.String(TagRPMVersion), digestsSince) >= 0 {
		return p.Header, nil
	}
	kept := slices.DeleteFunc(p.Header.Values(), func(v Value) bool { return slices.Contains(payloadDigests, v.tag) })
	return MakeHeader(RegionImmutable, kept...)
}

// withHeader returns the package with another header. Its signatures are dropped,
// its digests and its size are made anew. sum is the MD5 of the header and the
// payload, size that of the payload.
func (p *Package) withHeader(h *Header, sum []byte, size int64) (*Package, error) {
	s1, s256 := sha1.Sum(h.raw), sha256.Sum256(h.raw)
	values := []Value{
		StringValue(SigTagSHA1, hex.EncodeToString(s1[:])),
		StringValue(SigTagSHA256, hex.EncodeToString(s256[:])),
		BytesValue(SigTagMD5, sum),
	}
	drop := append([]Tag{SigTagSHA1, SigTagSHA256, SigTagMD5}, SignatureTags...)
	size += h.Size()
	switch {
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
