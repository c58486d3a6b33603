package sign_test

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"namibuild/builder/pgp"
	"namibuild/builder/sign"
)

// stored returns a public key as gpg exports it, with a subkey and an end.
func stored(f testing.TB) []byte {
	f.Helper()
	data, err := os.ReadFile("../pgp/testdata/certificate.asc")
	if err != nil {
		f.Fatal(err)
	}
	return data
}

// FuzzParseSigVal checks that an agent's answer is a number or an error.
func FuzzParseSigVal(f *testing.F) {
	f.Add([]byte("(7:sig-val(3:rsa(1:s3:\x00ab)))"))
	f.Add([]byte("(7:sig-val(3:rsa(1:s99:ab)))"))
	f.Add([]byte("(7:sig-val(3:dsa(1:r1:a)(1:s1:b)))"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, err := sign.ParseSigVal(data); err == nil && len(n) > len(data) {
			t.Error("the number is longer than the answer")
		}
	})
}

// FuzzParseURI checks that a URI is a place or an error.
func FuzzParseURI(f *testing.F) {
	f.Add("pkcs11:token=a;object=b?module-path=/c")
	f.Add("pkcs11:token=a;id=%00?module-path=/c&pin-value=1")
	f.Add("pkcs11:;?&")
	f.Fuzz(func(_ *testing.T, uri string) { _, _ = sign.ParseURI(uri) })
}

// FuzzAgent checks that an agent with arbitrary answers is an error and does not
// block.
func FuzzAgent(f *testing.F) {
	f.Add([]byte("OK Pleased to meet you\nOK\n"))
	f.Add([]byte("OK\nERR 67108881 No secret key <GPG Agent>\n"))
	f.Add([]byte("OK\nOK\nOK\nOK\nOK\nOK\nINQUIRE PASSPHRASE\nD (7:sig-val(3:rsa(1:s1:a)))\nOK\n"))
	f.Add([]byte("S x\n# y\nD %2\nINQUIRE\n"))
	f.Add(bytes.Repeat([]byte("x"), 3000))
	c, err := pgp.ParseSigningKey(stored(f))
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
		a := sign.Agent{Socket: at, Passphrase: fixed("x")}
		k, err := a.Open(context.Background(), c)
		if err != nil {
			return
		}
		if _, err := k.Raw(context.Background(), nil); err == nil {
			t.Error("signed")
		}
	})
}

// serve writes the answers to each client and reads what the client sends until
// its end.
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
