package compare

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"namibuild/builder/rpm"
	"namibuild/builder/unpack"
)

// opened is a package that was opened and verified.
type opened struct {
	*rpm.Package
	file  *os.File
	start int64 // offset of the payload in the file
	files []rpm.File
}

// openPackage verifies a package.
func openPackage(f *os.File) (opened, error) {
	p, err := rpm.Verify(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return opened{}, fmt.Errorf("%s: %w", f.Name(), err)
	}
	files, err := p.Files()
	if err != nil {
		return opened{}, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return opened{p, f, p.PayloadOffset, files}, nil
}

// payload returns the payload as it is stored.
func (o opened) payload() (blob, error) {
	b, err := fileBlob(o.file)
	return b.section(o.start, b.size), err
}

// packages compares two packages and returns the signature tags that it left out.
func packages(l *list, fa, fb *os.File) ([]string, error) {
	a, err := openPackage(fa)
	if err != nil {
		return nil, err
	}
	b, err := openPackage(fb)
	if err != nil {
		return nil, err
	}
	if a, b, err = withEqualDigests(a, b); err != nil {
		return nil, err
	}
	c := newComparer(l, a, b)
	payload, err := c.payloads(a, b)
	if err != nil {
		return nil, err
	}
	header := c.headers(a, b)
	leftOut := c.signatures(a.Signature, b.Signature, payload || header)
	if a.Lead != b.Lead {
		l.unexplained(Place{Field: "lead"}, a.Lead.Name(), b.Lead.Name())
	}
	return leftOut, nil
}

// withEqualDigests adds the digests of the payload to the header of a package that
// lacks them, if the other one has them: signing for rpm 6 adds them.
func withEqualDigests(a, b opened) (opened, opened, error) {
	var err error
	switch has := rpm.TagPayloadDigest; {
	case a.Header.Has(has) && !b.Header.Has(has):
		b, err = b.withDigests()
	case b.Header.Has(has) && !a.Header.Has(has):
		a, err = a.withDigests()
	}
	return a, b, err
}

// withDigests returns the package with the digests of its payload in the header.
func (o opened) withDigests() (opened, error) {
	b, err := o.payload()
	if err == nil {
		o.Package, err = o.WithPayloadDigests(b.all())
	}
	return o, err
}

// longest is how long a build may take, in seconds. rpm 4.8 takes BUILDTIME at the
// end of the build, when it writes the first package.
const longest = 24 * 60 * 60

// newComparer returns a comparer that knows when and on which hosts the packages
// were built.
func newComparer(l *list, a, b opened) *comparer {
	c := &comparer{found: l, changed: map[string]bool{}, since: min(a.BuildTime(), b.BuildTime()) - longest}
	if x, y := a.Header.String(rpm.TagBuildHost), b.Header.String(rpm.TagBuildHost); x != y {
		c.words = append(c.words, word{cause: host, a: x, b: y})
	}
	return c
}

// signatureTags are left out of the comparison: signing adds them, takes their
// room from the reserved space, and changes nothing else.
var signatureTags = []rpm.Tag{rpm.SigTagDSA, rpm.SigTagRSA, rpm.SigTagPGP, rpm.SigTagGPG, rpm.SigTagOpenPGP, rpm.SigTagReserved, rpm.SigTagReservedSpace}

// signatures compares two signature headers. Their digests and sizes follow from
// header and payload; others says whether these differ. It returns the signature
// tags that differ.
func (c *comparer) signatures(a, b *rpm.Header, others bool) (dropped []string) {
	tags := slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.Tags(), b.Tags()))))
	for _, t := range tags {
		x, y := rawValue(a, t), rawValue(b, t)
		p := Place{Tag: signature + t.SignatureName()}
		switch {
		case bytes.Equal(x, y):
		case slices.Contains(signatureTags, t):
			if t != rpm.SigTagReserved && t != rpm.SigTagReservedSpace {
				dropped = append(dropped, t.SignatureName())
			}
		case others && a.Has(t) && b.Has(t):
			c.found.follows("header and payload", p, shown(a, t), shown(b, t))
		default:
			c.found.unexplained(p, shown(a, t), shown(b, t))
		}
	}
	return dropped
}

// payloads compares two payloads and reports whether they differ.
func (c *comparer) payloads(a, b opened) (bool, error) {
	one, err := a.payload()
	if err != nil {
		return false, err
	}
	two, err := b.payload()
	if err != nil {
		return false, err
	}
	if same, err := equal(one, two); err != nil || same {
		return false, err
	}
	before := c.found.size()
	if err := c.payloadFiles(a, b); err != nil || c.found.size() > before {
		return true, err
	}
	return true, c.packing(a.Header, b.Header, one, two)
}

// packing compares how two payloads are packed that hold equal files.
func (c *comparer) packing(ha, hb *rpm.Header, a, b blob) error {
	one, err := plainSum(a)
	if err != nil {
		return err
	}
	two, err := plainSum(b)
	if err != nil {
		return err
	}
	sizes := [2]string{fmt.Sprintf("%d bytes", a.size), fmt.Sprintf("%d bytes", b.size)}
	how := func(h *rpm.Header) string { return h.String(rpm.TagPayloadCompressor) + h.String(rpm.TagPayloadFlags) }
	switch p := (Place{Field: "compressed form of the payload"}); {
	case one == two && how(ha) != how(hb):
		c.found.follows("header tag PAYLOADFLAGS", p, sizes[0], sizes[1])
	case one == two:
		c.found.cause(toolchain, p, sizes[0], sizes[1])
	default:
		c.found.unexplained(Place{Field: "form of the payload's archive"}, sizes[0], sizes[1])
	}
	return nil
}

// plainSum returns the digest of a payload's archive.
func plainSum(b blob) (sum [sha256.Size]byte, err error) {
	var plain io.Reader = b.all()
	r, err := unpack.Open(b.all(), unpack.NoLimit)
	switch {
	case err == nil:
		defer r.Close()
		plain = r
	case !errors.Is(err, unpack.ErrFormat): // else the archive is not compressed
		return sum, err
	}
	h := sha256.New()
	_, err = io.Copy(h, plain)
	return [sha256.Size]byte(h.Sum(nil)), err
}
