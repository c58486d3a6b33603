package modkey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"namibuild/builder/hosttest"
)

var rsaKey = sync.OnceValues(func() (Key, error) { return New(rand.Reader, X509, "Modules & more") })

func testRSA(t testing.TB) Key {
	t.Helper()
	k, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keyFile writes the key to a file for openssl.
func keyFile(t *testing.T, k Key) string {
	t.Helper()
	text, err := k.Text()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func openssl(t *testing.T, in []byte, args ...string) []byte {
	t.Helper()
	c := exec.Command(hosttest.Program(t, "openssl"), args...)
	c.Stdin = bytes.NewReader(in)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, err.(*exec.ExitError).Stderr)
	}
	return out
}

func TestRSARoundTrip(t *testing.T) {
	k := testRSA(t)
	text, err := k.Text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(bytes.NewReader(text))
	if err != nil || again.Fingerprint != k.Fingerprint || again.Kind != X509 || again.Name() != "Modules & more" || again.Algorithm() != "RSA 4096" {
		t.Errorf("%v, %+v", err, again.Public)
	}
	public, err := parsePublic(X509, k.Bytes)
	if err != nil || public.Fingerprint != k.Fingerprint {
		t.Errorf("%v, %+v", err, public)
	}
}

// TestRSAOld checks a file that openssl makes with the options of the kernel's own
// build.
func TestRSAOld(t *testing.T) {
	dir := t.TempDir()
	key, certificate := filepath.Join(dir, "key"), filepath.Join(dir, "certificate")
	openssl(t, nil, "req", "-new", "-nodes", "-utf8", "-sha256", "-days", "36500", "-batch", "-x509", "-subj", "/O=Us/CN=old",
		"-newkey", "rsa:2048", "-outform", "PEM", "-out", certificate, "-keyout", key)
	old := openssl(t, nil, "rsa", "-traditional", "-in", key)
	c, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	k, err := Parse(bytes.NewReader(append(old, c...)))
	if err != nil || k.Name() != "old" || k.Algorithm() != "RSA 2048" {
		t.Errorf("%v, %+v", err, k.Public)
	}
}

// TestCMS checks that signatures, as CMS and bare, are byte for byte those that
// openssl makes with the kernel's options.
func TestCMS(t *testing.T) {
	k := testRSA(t)
	file := keyFile(t, k)
	module := []byte("a module")
	sums := map[string]string{}
	for name, sum := range map[string][]byte{"sha1": sum(sha1.Sum(module)), "sha256": sum32(sha256.Sum256(module)), "sha512": sum64(sha512.Sum512(module))} {
		sums[name] = hex.EncodeToString(sum)
	}
	server := WithKey(k, 1)
	for name, sum := range sums {
		want := openssl(t, module, "cms", "-sign", "-binary", "-nocerts", "-noattr", "-nosmimecap", "-md", name, "-outform", "DER", "-signer", file, "-inkey", file)
		if got := answer(t, server, "cms "+name+" "+sum); !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%x, want\n%x", name, got, want)
		}
		info := algorithms[name].prefix + sum
		raw, _ := hex.DecodeString(info)
		want = openssl(t, raw, "rsautl", "-sign", "-inkey", file)
		if got := answer(t, server, "rsa "+info); !bytes.Equal(got, want) {
			t.Errorf("%s: the bare signature differs", name)
		}
	}
	if server.Asked() != 6 || server.Table().Len() != 3 {
		t.Errorf("asked %d, signed %d", server.Asked(), server.Table().Len())
	}
	if got := answer(t, server, "certificate"); !bytes.Equal(got, k.Bytes) {
		t.Error("the certificate differs")
	}
	recorded(t, server, sums)
}

// recorded compares a server that has a table with the one that made it.
func recorded(t *testing.T, with *Server, sums map[string]string) {
	t.Helper()
	without, data := withoutKey(t, with)
	for _, question := range []string{"cms sha256 " + sums["sha256"], "certificate"} {
		if !bytes.Equal(answer(t, with, question), answer(t, without, question)) {
			t.Errorf("%s: the answer without the key differs", question)
		}
	}
	const other = "sha256 0000000000000000000000000000000000000000000000000000000000000000"
	if got := without.Answer("1 cms " + other); got != "1 error no signature of "+other+" was recorded: the module differs from that of the recorded build" {
		t.Errorf("got %q", got)
	}
	for from, want := range map[string]string{
		sums["sha256"]: "crypto/rsa: verification error",
		`"sha256 `:     "unknown hash",
		`"x509"`:       `kind "y"`,
	} {
		to := map[string]string{sums["sha256"]: strings.Repeat("0", 64), `"sha256 `: `"md5 `, `"x509"`: `"y"`}[from]
		if _, err := ParseTable(bytes.Replace(data, []byte(from), []byte(to), 1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s for %s: %v", to, from, err)
		}
	}
}

func sum(b [20]byte) []byte   { return b[:] }
func sum32(b [32]byte) []byte { return b[:] }
func sum64(b [64]byte) []byte { return b[:] }

func answer(t *testing.T, d *Server, question string) []byte {
	t.Helper()
	text, ok := strings.CutPrefix(d.Answer("1 "+question), "1 ok ")
	data, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		t.Fatalf("%s: %s", question, d.Answer("1 "+question))
	}
	return data
}

func TestRSAQuestions(t *testing.T) {
	d := WithKey(testRSA(t), 1)
	for question, want := range map[string]string{
		"cms sha256 00":   `digest "sha256 00": want 64 lower-case hexadecimal digits after sha256`,
		"cms md5 00":      `digest "md5 00": unknown hash "md5", want sha1, sha224, sha256, sha384 or sha512`,
		"rsa 30213009060": `signing "30213009060": not a DigestInfo of a known hash`,
	} {
		if got := d.Answer("1 " + question); got != "1 error "+want {
			t.Errorf("%s: got %q", question, got)
		}
	}
	if d.Refused() != nil {
		t.Errorf("got %v", d.Refused())
	}
	got := d.Answer("1 public")
	kind := (*KindError)(nil)
	if !errors.As(d.Refused(), &kind) || kind.Want != OpenPGP || got != "1 error this kernel signs its modules with gpg, and the module key is one for kernels that sign by X.509" {
		t.Errorf("got %q, %v", got, d.Refused())
	}
}

func TestParseRSAErrors(t *testing.T) {
	text, err := testRSA(t).Text()
	if err != nil {
		t.Fatal(err)
	}
	key, certificate, _ := strings.Cut(string(text), "-----BEGIN CERTIFICATE")
	certificate = "-----BEGIN CERTIFICATE" + certificate
	block := func(kind string, data []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}))
	}
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := x509.MarshalPKCS8PrivateKey(elliptical)
	for name, test := range map[string]struct{ text, want string }{
		"no certificate":   {key, "there is no certificate"},
		"no private half":  {certificate, "there is no private key"},
		"passphrase":       {strings.ReplaceAll(key, "PRIVATE", "ENCRYPTED PRIVATE"), "the key has a passphrase"},
		"old passphrase":   {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "the key has a passphrase"},
		"elliptic curve":   {block("PRIVATE KEY", curve, err), "not an RSA key"},
		"another's":        {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(other), nil) + certificate, "the certificate is that of another key"},
		"cut":              {string(text[:len(text)-100]), "there is no certificate"},
		"nothing in it":    {block("PRIVATE KEY", nil, nil), "asn1"},
		"no certificate's": {key + block("CERTIFICATE", []byte("x"), nil), "malformed"},
	} {
		if _, err := Parse(strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := New(rand.Reader, "gpg", "name"); err == nil || err.Error() != `making a module key: kind "gpg", want openpgp or x509` {
		t.Errorf("got %v", err)
	}
}

// TestScanRSA checks that each number is found in the forms that openssl writes.
func TestScanRSA(t *testing.T) {
	k := testRSA(t)
	file := keyFile(t, k)
	for name, data := range map[string][]byte{
		"PEM":         openssl(t, nil, "rsa", "-in", file),
		"traditional": openssl(t, nil, "rsa", "-traditional", "-in", file),
		"DER":         openssl(t, nil, "rsa", "-in", file, "-outform", "DER"),
		"text":        openssl(t, nil, "rsa", "-in", file, "-noout", "-text"),
	} {
		for _, before := range []int{0, 1, 2, 1<<20 - 100} {
			if found, err := k.Scan(strings.NewReader(strings.Repeat("z", before) + string(data))); !found || err != nil {
				t.Errorf("%s after %d bytes: %v, %v", name, before, found, err)
			}
		}
	}
	public := openssl(t, nil, "x509", "-in", file, "-text")
	if found, err := k.Scan(bytes.NewReader(public)); found || err != nil {
		t.Errorf("found in the certificate: %v", err)
	}
}
