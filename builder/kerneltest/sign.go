package kerneltest

import (
	"bytes"
	"testing"

	"namibuild/builder/rpm"
)

// signature is a signature packet of the form that rpm accepts: version 4, by RSA with
// SHA-256, made at 0 by the key 1, of one bit.
var signature = []byte{0x88, 29, 4, 0, 1, 8, 0, 6, 5, 2, 0, 0, 0, 0, 0, 10, 9, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1}

// Signed returns a package with a signature, which nobody can verify. withDigests also puts
// the digests of the payload into the header, as rpm does when it signs a package of EL6.
func Signed(t testing.TB, data []byte, withDigests bool) []byte {
	t.Helper()
	p, err := rpm.ReadPackage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	payload := data[p.PayloadOffset:]
	if withDigests {
		if p, err = p.WithPayloadDigests(bytes.NewReader(payload)); err != nil {
			t.Fatal(err)
		}
	}
	if p, err = p.WithSignatures(rpm.BytesValue(rpm.SigTagRSA, signature)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := p.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), payload...)
}
