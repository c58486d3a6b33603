package modkey

//lint:file-ignore SA1019 EL6's kernel verifies nothing but DSA of 1024 bits

import (
	"bytes"
	"crypto/dsa"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"namibuild/builder/hosttest"
	"namibuild/builder/pgp"
)

func hexadecimal(s string) *big.Int {
	n, _ := new(big.Int).SetString(strings.Join(strings.Fields(s), ""), 16)
	return n
}

// standard returns the key of RFC 6979, A.2.1.
func standard() *dsa.PrivateKey {
	k := &dsa.PrivateKey{X: hexadecimal("411602CB19A6CCC34494D79D98EF1E7ED5AF25F7")}
	k.P = hexadecimal(`86F5CA03DCFEB225063FF830A0C769B9DD9D6153AD91D7CE27F787C43278B447 E6533B86B18BED6E8A48B784A14C252C5BE0DBF60B86D6385BD2F12FB763ED88
		73ABFD3F5BA2E0A8C0A59082EAC056935E529DAF7C610467899C77ADEDFC846C 881870B7B19B2B58F9BE0521A17002E3BDD6B86685EE90B3D9A1B02B782B1779`)
	k.Q = hexadecimal("996F967F6C8E388D9E28D01E205FBA957A5698B1")
	k.G = hexadecimal(`07B0F92546150B62514BB771E2A0C0CE387F03BDA6C56B505209FF25FD3C133D 89BBCD97E904E09114D9A7DEFDEADFC9078EA544D2E401AEECC40BB9FBBF78FD
		87995A10A1C27CB7789B594BA7EFB5C4326A9FE59A070E136DB77175464ADCA4 17BE5DCE2F40D10A46A3A3943F26AB7FD9C0398FF8C76EE0A56826A8A88F1DBD`)
	k.Y = new(big.Int).Exp(k.G, k.X, k.P)
	return k
}

func testKey() Key {
	k, err := fromPrivate(standard(), "A key of RFC 6979", Created)
	if err != nil {
		panic(err)
	}
	return k
}

func signed(t *testing.T, k Key, digest [sha1.Size]byte, epoch int64) []byte {
	t.Helper()
	signature, err := k.sign(hex.EncodeToString(digest[:]), epoch)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func dsaOf(k Key) *openPGP { return k.half.(*openPGP) }

// TestSignDSA checks the vectors of RFC 6979, A.2.1, with SHA-1.
func TestSignDSA(t *testing.T) {
	for message, want := range map[string][2]string{
		"sample": {"2E1A0C2562B2912CAAF89186FB0F42001585DA55", "29EFB6B0AFF2D7A68EB70CA313022253B9A88DF5"},
		"test":   {"42AB2052FD43E123F0607F115052A67DCD9C5C77", "183916B0230D45B9931491D4C6B0BD2FB4AAF088"},
	} {
		digest := sha1.Sum([]byte(message))
		r, s := signDSA(standard(), digest)
		if r.Cmp(hexadecimal(want[0])) != 0 || s.Cmp(hexadecimal(want[1])) != 0 {
			t.Errorf("%s: got %X, %X", message, r, s)
		}
		if !dsa.Verify(&standard().PublicKey, digest[:], r, s) {
			t.Errorf("%s: the signature does not verify", message)
		}
	}
}

func TestKeyRoundTrip(t *testing.T) {
	k, err := New(rand.Reader, OpenPGP, "Some Böody <a@b.c>")
	if err != nil {
		t.Fatal(err)
	}
	text, err := k.Text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(bytes.NewReader(text))
	if err != nil || !bytes.Equal(again.Bytes, k.Bytes) || dsaOf(again).private.X.Cmp(dsaOf(k).private.X) != 0 || again.Name() != "Some Böody <a@b.c>" {
		t.Errorf("%v\n%x\n%x", err, again.Bytes, k.Bytes)
	}
	public, err := parsePublic(OpenPGP, k.Bytes)
	if err != nil || public.Fingerprint != k.Fingerprint {
		t.Errorf("%+v, %v", public, err)
	}
}

// TestGPG checks that GnuPG imports both halves, sees their name and fingerprint,
// and verifies what they sign.
func TestGPG(t *testing.T) {
	gpgProgram := hosttest.Program(t, "gpg")
	home := filepath.Join(t.TempDir(), "gpg")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	gpg := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(gpgProgram, append([]string{"--homedir", home, "--batch", "--status-fd", "1"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("gpg %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	t.Cleanup(func() { exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() })
	k := testKey()
	const epoch = 1388785812
	module := []byte("a module")
	text, err := k.Text()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"key": text, "m.ko": module, "m.ko.sig": signed(t, k, Digest(module, epoch), epoch)} {
		if err := os.WriteFile(filepath.Join(home, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gpg("--import", filepath.Join(home, "key"))
	if got := gpg("--with-colons", "--list-secret-keys"); !strings.Contains(got, ":"+k.Fingerprint+":") || !strings.Contains(got, ":A key of RFC 6979:") {
		t.Errorf("gpg sees\n%s", got)
	}
	got := gpg("--allow-weak-digest-algos", "--verify", filepath.Join(home, "m.ko.sig"), filepath.Join(home, "m.ko"))
	if !strings.Contains(got, "VALIDSIG "+k.Fingerprint) || !strings.Contains(got, fmt.Sprint(epoch)) {
		t.Errorf("gpg says\n%s", got)
	}
	exported, err := exec.Command(gpgProgram, "--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--armor", "--export-secret-keys").Output()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse(bytes.NewReader(exported)); err != nil || again.Fingerprint != k.Fingerprint {
		t.Errorf("parsing what gpg exports: %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	text, err := testKey().Text()
	if err != nil {
		t.Fatal(err)
	}
	public := armored(t, testKey().Bytes)
	for name, test := range map[string]struct{ text, want string }{
		"empty":   {"", "neither an armored OpenPGP key nor a key and its certificate as PEM"},
		"no key":  {"hello\n", "neither an armored OpenPGP key nor a key and its certificate as PEM"},
		"no end":  {"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "not an armored OpenPGP key: EOF"},
		"public":  {public, "the file has no private key"},
		"cut":     {string(text[:len(text)/2]), "unexpected EOF"},
		"no name": {armored(t, dsaOf(testKey()).secretPackets()[:3+int(dsaOf(testKey()).secretPackets()[1])<<8+int(dsaOf(testKey()).secretPackets()[2])]), "the key has no name"},
	} {
		if _, err := Parse(strings.NewReader(test.text)); err == nil || err.Error() != "reading the module key: "+test.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := New(rand.Reader, OpenPGP, "two\nlines"); err == nil {
		t.Error("a name of two lines is accepted")
	}
}

func armored(t *testing.T, packets []byte) string {
	t.Helper()
	text, err := pgp.Armor(pgp.BlockSecretKey, packets)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// withoutKey returns a server that has what another one signed, and the file of
// that table.
func withoutKey(t *testing.T, with *Server) (*Server, []byte) {
	t.Helper()
	data, err := with.Table().Write()
	if err != nil {
		t.Fatal(err)
	}
	table, err := ParseTable(data)
	if err != nil {
		t.Fatal(err)
	}
	return WithTable(table), data
}

func TestServer(t *testing.T) {
	k := testKey()
	const epoch = 1388785812
	digest := Digest([]byte("a module"), epoch)
	text := hex.EncodeToString(digest[:])
	signature := base64.StdEncoding.EncodeToString(signed(t, k, digest, epoch))
	with := WithKey(k, epoch)
	tests := []struct{ line, want string }{
		{"17 public", "17 ok " + base64.StdEncoding.EncodeToString(k.Bytes)},
		{"18 sign " + text, "18 ok " + signature},
		{"19 sign " + text, "19 ok " + signature},
		{"21 secret", `21 error request "secret", want public, sign, certificate, rsa or cms`},
		{"", ` error request "", want public, sign, certificate, rsa or cms`},
		{"22 certificate", "22 error this kernel signs its modules by X.509, and the module key is one for kernels that sign with gpg"},
	}
	for _, test := range tests {
		if got := with.Answer(test.line); got != test.want {
			t.Errorf("%q: got %q, want %q", test.line, got, test.want)
		}
	}
	upper := strings.ToUpper(text)
	if got := with.Answer("20 sign " + upper); got != `20 error digest "`+upper+`": want 40 lower-case hexadecimal digits` {
		t.Errorf("got %q", got)
	}
	if with.Asked() != 3 || with.Table().Len() != 1 {
		t.Errorf("asked %d, signed %d", with.Asked(), with.Table().Len())
	}
	without, _ := withoutKey(t, with)
	for _, test := range tests {
		if got := without.Answer(test.line); got != test.want {
			t.Errorf("recorded, %q: got %q, want %q", test.line, got, test.want)
		}
	}
	const other = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
	if got := without.Answer("5 sign " + other); got != "5 error no signature of "+other+" was recorded: the module differs from that of the recorded build" {
		t.Errorf("got %q", got)
	}
}

func TestParseTableErrors(t *testing.T) {
	d := WithKey(testKey(), 1)
	d.Answer("1 sign da39a3ee5e6b4b0d3255bfef95601890afd80709")
	data, err := d.Table().Write()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ from, to, want string }{
		"form":        {"signatures 1", "signatures 2", `form "namibuild`},
		"fingerprint": {`"fingerprint": "`, `"fingerprint": "0`, "the key is " + testKey().Fingerprint},
		"digest":      {"da39a3ee", "da39A3ee", "want 40 lower-case hexadecimal digits"},
		"another":     {"da39a3ee", "db39a3ee", "the signature is of another digest"},
		"unknown":     {`"form"`, `"from": 1, "form"`, "unknown field"},
		"behind":      {"\n}\n", "\n}\n{}", "more data follows the table"},
		"no key":      {`"publicKey": "`, `"publicKey": "AAAA`, "reading the public module key"},
	} {
		changed := strings.Replace(string(data), test.from, test.to, 1)
		if changed == string(data) {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := ParseTable([]byte(changed)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestScan checks that the secret is found in every form and at every place, also
// across two reads, and that other numbers are not.
func TestScan(t *testing.T) {
	k := testKey()
	x := dsaOf(k).private.X.Bytes()
	near := slices.Clone(x)
	near[19] ^= 1
	for name, write := range map[string]func([]byte) string{
		"raw":                  func(b []byte) string { return string(b) },
		"hex":                  hex.EncodeToString,
		"HEX":                  func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) },
		"base64":               base64.StdEncoding.EncodeToString,
		"base64, one byte on":  func(b []byte) string { return base64.StdEncoding.EncodeToString(append([]byte("a"), b...)) },
		"base64, two bytes on": func(b []byte) string { return base64.StdEncoding.EncodeToString(append([]byte("ab"), b...)) },
		"base64, in the middle": func(b []byte) string {
			return base64.StdEncoding.EncodeToString(slices.Concat([]byte("a"), b, []byte("more")))
		},
	} {
		for _, before := range []int{0, 7, 1<<20 - 10, 3 << 20} {
			text := strings.Repeat("z", before) + write(x) + "z"
			if found, err := k.Scan(iotest.OneByteReader(strings.NewReader(text))); before < 100 && (!found || err != nil) {
				t.Errorf("%s after %d bytes, read byte by byte: %v, %v", name, before, found, err)
			}
			if found, err := k.Scan(strings.NewReader(text)); !found || err != nil {
				t.Errorf("%s after %d bytes: %v, %v", name, before, found, err)
			}
		}
		if name[0] != 'b' { // base64 may cut the last bits off
			if found, err := k.Scan(strings.NewReader(write(near))); found || err != nil {
				t.Errorf("%s of another number: %v, %v", name, found, err)
			}
		}
	}
	text, _ := k.Text()
	if found, _ := k.Scan(bytes.NewReader(bytes.ReplaceAll(text, []byte("\n"), nil))); !found {
		t.Error("not found in the key's file")
	}
	if found, _ := k.Scan(bytes.NewReader(k.Bytes)); found {
		t.Error("found in the public half")
	}
	if _, err := k.Scan(iotest.ErrReader(os.ErrClosed)); err == nil {
		t.Error("no error of the reader")
	}
}

func FuzzParse(f *testing.F) {
	text, _ := testKey().Text()
	f.Add(text)
	text, _ = testRSA(f).Text()
	f.Add(text)
	f.Add([]byte("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ==\n-----END PGP PRIVATE KEY BLOCK-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := Parse(bytes.NewReader(data))
		if err != nil {
			return
		}
		text, err := k.Text()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(bytes.NewReader(text)); err != nil || again.Fingerprint != k.Fingerprint {
			t.Errorf("written and read again: %v", err)
		}
	})
}

func FuzzParseTable(f *testing.F) {
	d := WithKey(testKey(), 1)
	d.Answer("1 sign da39a3ee5e6b4b0d3255bfef95601890afd80709")
	data, _ := d.Table().Write()
	f.Add(data)
	d = WithKey(testRSA(f), 1)
	d.Answer("1 cms sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709")
	data, _ = d.Table().Write()
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := ParseTable(data)
		if err != nil {
			return
		}
		text, err := table.Write()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseTable(text)
		if err != nil || again.Len() != table.Len() {
			t.Errorf("written and read again: %v", err)
		}
		WithTable(table).Answer(string(data))
	})
}
