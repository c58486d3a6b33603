package sign_test

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"namibuild/builder/sign"
)

// stored is a public key as gpg exports it, with a subkey and an end.
func stored(f testing.TB) []byte {
	f.Helper()
	data, err := os.ReadFile("testdata/certificate.asc")
	if err != nil {
		f.Fatal(err)
	}
	return data
}

// Whatever stands in a key file, it is a key that can be written or an error.
func FuzzParseCertificate(f *testing.F) {
	f.Add(stored(f))
	f.Add([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n=twTO\n-----END PGP PUBLIC KEY BLOCK-----\n"))
	f.Add([]byte{0x99, 0, 1, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := sign.ParseCertificate(data)
		if err != nil {
			return
		}
		again, err := c.Public()
		if err != nil {
			t.Fatal(err)
		}
		second, err := sign.ParseCertificate(again)
		if err != nil || second.Fingerprint != c.Fingerprint {
			t.Errorf("%s, written and read again, is %s, %v", c.Fingerprint, second.Fingerprint, err)
		}
	})
}

// Whatever an agent answers to a request to sign is a number or an error.
func FuzzParseSigVal(f *testing.F) {
	f.Add([]byte("(7:sig-val(3:rsa(1:s3:\x00ab)))"))
	f.Add([]byte("(7:sig-val(3:rsa(1:s99:ab)))"))
	f.Add([]byte("(7:sig-val(3:dsa(1:r1:a)(1:s1:b)))"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, err := sign.ParseSigVal(data); err == nil && len(n) > len(data) {
			t.Error("more than came")
		}
	})
}

// Whatever stands in a URI is a place or an error.
func FuzzParseURI(f *testing.F) {
	f.Add("pkcs11:token=a;object=b?module-path=/c")
	f.Add("pkcs11:token=a;id=%00?module-path=/c&pin-value=1")
	f.Add("pkcs11:;?&")
	f.Fuzz(func(_ *testing.T, uri string) { _, _ = sign.ParseURI(uri) })
}

// An agent that says anything at all costs an error, and no hanging.
func FuzzAgent(f *testing.F) {
	f.Add([]byte("OK Pleased to meet you\nOK\n"))
	f.Add([]byte("OK\nERR 67108881 No secret key <GPG Agent>\n"))
	f.Add([]byte("OK\nOK\nOK\nOK\nOK\nOK\nINQUIRE PASSPHRASE\nD (7:sig-val(3:rsa(1:s1:a)))\nOK\n"))
	f.Add([]byte("S x\n# y\nD %2\nINQUIRE\n"))
	f.Add(bytes.Repeat([]byte("x"), 3000))
	c, err := sign.ParseCertificate(stored(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answers []byte) {
		at := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", at)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go serve(l, answers)
		a := sign.Agent{Socket: at, Passphrase: give("x")}
		k, err := a.Open(context.Background(), c)
		if err != nil {
			return
		}
		if _, err := k.Raw(context.Background(), nil); err == nil {
			t.Error("signed")
		}
	})
}

// serve says its piece to whoever comes, and takes what they say until they
// are done.
func serve(l net.Listener, answers []byte) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		c.Write(answers)
		c.(*net.UnixConn).CloseWrite()
		bufio.NewReader(c).WriteTo(discard{})
		c.Close()
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
