package rpm_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// whole is a package with the payload of the one that data holds.
func whole(t *testing.T, p *rpm.Package, data []byte) []byte {
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
		t.Errorf("the payload is said to start at %d, it does at %d", p.PayloadOffset, out.Len())
	}
	out.Write(data[was.PayloadOffset:])
	return out.Bytes()
}

// Without its signatures a package is whole still, and with all digests too, by
// real rpm's judgement; nothing else changes.
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
			unsigned := whole(t, bare, data)
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
			accept(t, whole(t, more, data))
			was, err := more.AsBuilt(bytes.NewReader(data[p.PayloadOffset:]))
			if err != nil || !bytes.Equal(whole(t, was, data), unsigned) {
				t.Errorf("as built it is another package: %v", err)
			}
			again, err := more.WithPayloadDigests(strings.NewReader("not read"))
			if err != nil || again != more {
				t.Errorf("a package that has them all is made anew: %v", err)
			}
		})
	}
}

// accept holds a package against our verification and real rpm's.
func accept(t *testing.T, data []byte) {
	t.Helper()
	if _, err := rpm.Verify(bytes.NewReader(data)); err != nil {
		t.Error(err)
	}
	if got := run(t, nil, "rpm", "-K", "--nosignature", store(t, data)); !strings.HasSuffix(got, ": digests OK\n") {
		t.Error(got)
	}
}

// What rpm of EL6 would not read is not made.
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
