package rpm

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
)

// digest is a hash and the value that it must have, in lower-case hexadecimal.
type digest struct {
	name string
	hash hash.Hash
	want string
}

// compare reports the first digest that is wrong.
func compare(list []digest) error {
	for _, d := range list {
		if got := hex.EncodeToString(d.hash.Sum(nil)); got != d.want {
			return fmt.Errorf("%s got %s, want %s", d.name, got, d.want)
		}
	}
	return nil
}

func writers(list []digest) []io.Writer {
	var all []io.Writer
	for _, d := range list {
		all = append(all, d.hash)
	}
	return all
}

// checks is everything that a package says of itself and that can be checked.
type checks struct {
	offset int64 // of the payload
	size   int64 // of the package, when sized
	sized  bool
	header []digest
	stored []digest // of the payload as it is stored
	// plain and plainSize are those of the payload after decompression.
	plain     []digest
	plainSize []int64 // at most one
	taps      Taps
}

// newChecks collects the checks of a package. Those of the header have already
// hashed it.
func newChecks(p *Package) (*checks, error) {
	c := &checks{offset: p.PayloadOffset}
	c.addSignatureDigests(p)
	if err := c.addPayloadDigests(p.Header); err != nil {
		return nil, err
	}
	if err := c.addSizes(p); err != nil {
		return nil, err
	}
	switch {
	case len(c.header)+len(c.stored) == 0:
		return nil, errors.New("the package carries no digest")
	case len(c.stored) == 0:
		return nil, errors.New("the package carries no digest of its payload")
	}
	return c, nil
}

// addSignatureDigests adds the digests of the signature header, whose form was
// checked before.
func (c *checks) addSignatureDigests(p *Package) {
	s := p.Signature
	if s.Has(SigTagSHA1) {
		c.header = append(c.header, digest{"header sha1", hashed(sha1.New(), p.Header), s.String(SigTagSHA1)})
	}
	if s.Has(SigTagSHA256) {
		c.header = append(c.header, digest{"header sha256", hashed(sha256.New(), p.Header), s.String(SigTagSHA256)})
	}
	if s.Has(SigTagMD5) {
		want := hex.EncodeToString(s.Bytes(SigTagMD5))
		c.stored = append(c.stored, digest{"header and payload md5", hashed(md5.New(), p.Header), want})
	}
}

func hashed(h hash.Hash, header *Header) hash.Hash {
	h.Write(header.raw)
	return h
}

// addPayloadDigests adds the digests of the payload that the header holds. They
// prove nothing in a header that no digest covers.
func (c *checks) addPayloadDigests(h *Header) error {
	if !h.Has(TagPayloadDigest) && !h.Has(TagPayloadDigestAlt) || len(c.header)+len(c.stored) == 0 {
		return nil
	}
	algo, _ := h.Int(TagPayloadDigestAlgo)
	for _, want := range h.Strings(TagPayloadDigest) {
		d, err := newDigest("payload", DigestAlgo(algo), want)
		if err != nil {
			return fmt.Errorf("tag %d: %w", TagPayloadDigest, err)
		}
		c.stored = append(c.stored, d)
	}
	for _, want := range h.Strings(TagPayloadDigestAlt) {
		d, err := newDigest("uncompressed payload", DigestAlgo(algo), want)
		if err != nil {
			return fmt.Errorf("tag %d: %w", TagPayloadDigestAlt, err)
		}
		c.plain = append(c.plain, d)
	}
	return nil
}

func newDigest(what string, algo DigestAlgo, want string) (digest, error) {
	h, ok := hashes[algo]
	if !ok {
		return digest{}, fmt.Errorf("unknown digest algorithm %d", algo)
	}
	d := digest{what + " " + h.name, h.make(), want}
	if !isHex(want, d.hash.Size()) {
		return digest{}, fmt.Errorf("%q is not a %s", want, h.name)
	}
	return d, nil
}

// isHex reports whether s is size bytes in lower-case hexadecimal. Upper case
// would be the same digest in other bytes, and rpm does not write it.
func isHex(s string, size int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == size && hex.EncodeToString(b) == s
}

// addSizes adds the size of header and payload together, and that of the
// payload's content.
func (c *checks) addSizes(p *Package) error {
	together, err := oneNumber(p.Signature.Ints(SigTagSize), p.Signature.Ints(SigTagLongSize))
	if err != nil {
		return fmt.Errorf("size of header and payload %w", err)
	}
	before := c.offset - p.Header.Size()
	for _, n := range together {
		if n < p.Header.Size() || n > math.MaxInt64-before {
			return fmt.Errorf("size of header and payload got %d, the header alone has %d", uint64(n), p.Header.Size())
		}
		c.size, c.sized = before+n, true
	}
	// rpm 3 stored the size of the content in the header
	c.plainSize, err = oneNumber(p.Signature.Ints(SigTagPayloadSize), p.Signature.Ints(SigTagLongPayloadSize), p.Header.Ints(TagArchiveSize))
	if err != nil {
		return fmt.Errorf("payload size %w", err)
	}
	return nil
}

// oneNumber returns the number that the lists agree on, or none if all are empty.
func oneNumber(lists ...[]int64) ([]int64, error) {
	all := slices.Compact(slices.Concat(lists...))
	if len(all) > 1 {
		return nil, fmt.Errorf("is both %d and %d", uint64(all[0]), uint64(all[1]))
	}
	if len(all) == 1 && (all[0] < 0 || all[0] == math.MaxInt64) {
		return nil, fmt.Errorf("%d is out of range", uint64(all[0]))
	}
	return all, nil
}

// Check compares the content of a file with its digest in the header.
func (f File) Check(content []byte) error {
	d, err := newDigest(f.Path, f.DigestAlgo, f.Digest)
	if err != nil {
		return err
	}
	d.hash.Write(content)
	return compare([]digest{d})
}
