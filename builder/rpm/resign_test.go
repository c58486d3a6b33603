package rpm_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// assemble returns a package with the payload of the one in data.
func assemble(t *testing.T, p *rpm.Package, data []byte) []byte {
	t.Helper()
	was, err := rpm.ReadPackage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := p.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	if int64(out.Len()) != p.PayloadOffset {
		t.Errorf("payload offset got %d, want %d", p.PayloadOffset, out.Len())
	}
	out.Write(data[was.PayloadOffset:])
	return out.Bytes()
}

// Real rpm accepts a package without its signatures, and with payload digests.
// Nothing else changes.
func TestSignaturesAndDigestsOfAPackage(t *testing.T) {
	all := genuine(t)
	for name, v := range variants(t, binary) {
		all[name] = rpmtest.Build(v)
	}
	for name, data := range all {
		t.Run(name, func(t *testing.T) {
			p, err := rpm.ReadPackage(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			bare, err := p.WithSignatures()
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(bare.Signature.Tags(), func(tag rpm.Tag) bool { return slices.Contains(rpm.SignatureTags, tag) }) {
				t.Errorf("signatures are left: %v", bare.Signature.Tags())
			}
			unsigned := assemble(t, bare, data)
			if !bytes.Equal(unsigned[bare.HeaderOffset():], data[p.HeaderOffset():]) {
				t.Error("header or payload changed")
			}
			accept(t, unsigned)

			more, err := p.WithPayloadDigests(bytes.NewReader(data[p.PayloadOffset:]))
			if err != nil {
				t.Fatal(err)
			}
			for _, tag := range []rpm.Tag{rpm.TagPayloadDigest, rpm.TagPayloadDigestAlgo} {
				if !more.Header.Has(tag) {
					t.Errorf("no tag %d", tag)
				}
			}
			if !more.Signature.Has(rpm.SigTagSHA256) {
				t.Error("no sha256 of the header")
			}
			accept(t, assemble(t, more, data))
			inspected(t, data, unsigned)
			inspected(t, assemble(t, more, data), unsigned)
			again, err := more.WithPayloadDigests(strings.NewReader("not read"))
			if err != nil || again != more {
				t.Errorf("a package that has all digests is changed: %v", err)
			}
		})
	}
}

// inspected checks that Inspect gives the sums of a file and of the file as it
// was built.
func inspected(t *testing.T, file, built []byte) {
	t.Helper()
	sum := func(b []byte) rpm.Sum {
		return rpm.Sum{Size: int64(len(b)), SHA256: fmt.Sprintf("%x", sha256.Sum256(b))}
	}
	r := &counter{ReadSeeker: bytes.NewReader(file)}
	i, err := rpm.Inspect(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := len(file) // it is read once, and its payload again if the header was another
	if p := i.Package; !bytes.Equal(file[p.HeaderOffset():], built[len(built)-len(file)+int(p.HeaderOffset()):]) {
		want += len(file) - int(p.PayloadOffset)
	}
	if r.n != want {
		t.Errorf("read %d bytes of %d, want %d", r.n, len(file), want)
	}
	if i.File != sum(file) || i.Built != sum(built) {
		t.Errorf("got %+v and %+v, want %+v and %+v", i.File, i.Built, sum(file), sum(built))
	}
}

// counter counts the bytes that are read.
type counter struct {
	io.ReadSeeker
	n int
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.ReadSeeker.Read(b)
	c.n += n
	return n, err
}

// accept checks that we and real rpm verify a package.
func accept(t *testing.T, data []byte) {
	t.Helper()
	if _, err := rpm.Verify(bytes.NewReader(data)); err != nil {
		t.Error(err)
	}
	if got := run(t, nil, "rpm", "-K", "--nosignature", store(t, data)); !strings.HasSuffix(got, ": digests OK\n") {
		t.Error(got)
	}
}

// A signature header that rpm of EL6 would not read is not made.
func TestSignatureHeaderIsBounded(t *testing.T) {
	p, err := rpm.ReadPackage(bytes.NewReader(rpmtest.Build(binary)))
	if err != nil {
		t.Fatal(err)
	}
	for size, ok := range map[int]bool{4000: true, 9000: false} {
		if _, err := p.WithSignatures(rpm.BytesValue(rpm.SigTagRSA, make([]byte, size))); (err == nil) != ok {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}
