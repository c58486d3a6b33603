package rpm_test

import (
	"bytes"
	"crypto"
	"io"
	"slices"
	"testing"

	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// seeds returns small packages in every form.
func seeds(tb testing.TB) [][]byte {
	tb.Helper()
	small := binary
	small.Files = small.Files[:4]
	var list [][]byte
	for _, p := range []rpmtest.Package{small, source} {
		for _, v := range variants(tb, p) {
			list = append(list, rpmtest.Build(v))
		}
	}
	return list
}

// FuzzReadPackage checks that every accessor of a package works, and that the
// package is written back byte for byte.
func FuzzReadPackage(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := rpm.ReadPackage(bytes.NewReader(data))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if _, err := p.WriteTo(&out); err != nil || !bytes.Equal(out.Bytes(), data[:p.PayloadOffset]) {
			t.Errorf("written again, the package differs: %v", err)
		}
		for _, h := range []*rpm.Header{p.Signature, p.Header} {
			for _, tag := range h.Tags() {
				_, _, _, _ = h.String(tag), h.Strings(tag), h.Ints(tag), h.Bytes(tag)
			}
		}
		if n := p.NEVRA(); n.Compare(n) != 0 {
			t.Errorf("%s is not as new as itself", n)
		}
		files, err := p.Files()
		if err != nil && files != nil {
			t.Error("files and an error")
		}
	})
}

// FuzzVerify checks that a package that verifies does not verify with a byte more,
// or with any bit flipped.
func FuzzVerify(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s, uint(0))
		f.Add(s, uint(9000))
	}
	f.Fuzz(func(t *testing.T, data []byte, bit uint) {
		if len(data) > 1<<16 {
			return
		}
		if _, err := rpm.Verify(bytes.NewReader(data)); err != nil {
			return
		}
		if _, err := rpm.Verify(bytes.NewReader(append(bytes.Clone(data), 0))); err == nil {
			t.Error("a trailing byte is not noticed")
		}
		bit = 96*8 + bit%uint(len(data)*8-96*8)
		flipped := slices.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
		if _, err := rpm.Verify(bytes.NewReader(flipped)); err == nil {
			t.Errorf("bit %d of byte %d is not noticed", bit%8, bit/8)
		}
	})
}

// FuzzPayload checks that a payload is read or refused, and that an entry has its
// size.
func FuzzPayload(f *testing.F) {
	for _, s := range seeds(f) {
		p := parse(f, s)
		f.Add(s[p.PayloadOffset:])
	}
	p := parse(f, rpmtest.Build(binary))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		r, err := p.Payload(bytes.NewReader(data))
		if err != nil {
			return
		}
		defer r.Close()
		for range 1000 {
			e, err := r.Next()
			if err != nil {
				return
			}
			n, err := io.Copy(io.Discard, io.LimitReader(r, 1<<20))
			if err == nil && e.Linkname == "" && n != min(e.Size, 1<<20) {
				t.Errorf("%s: read %d bytes of %d", e.Name, n, e.Size)
			}
		}
	})
}

// FuzzSignature checks that arbitrary signatures are refused.
func FuzzSignature(f *testing.F) {
	keys := centosKey(f, "6")
	f.Add(parse(f, genuine(f)["centos-release-6-0.el6.centos.5.x86_64.rpm"]).Signature.Bytes(rpm.SigTagPGP))
	f.Add(sign(newKey().PrivateKey, crypto.SHA256, keyBorn)([]byte("x")))
	data := rpmtest.Build(source)
	f.Fuzz(func(t *testing.T, signature []byte) {
		if len(signature) == 0 || len(signature) > 1<<16 {
			return
		}
		if _, _, err := rpm.VerifySigned(bytes.NewReader(resign(t, data, with(rpm.BytesValue(rpm.SigTagPGP, signature)))), keys); err == nil {
			t.Error("a package that nobody signed verifies")
		}
	})
}
