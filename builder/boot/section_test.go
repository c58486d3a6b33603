package boot

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crypto"
	"crypto/rand"
	"crypto/rsa"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"namibuild/builder/hosttest"
)

// module is what a compiler and objcopy make of a C file that has what a kernel
// module has: many sections, relocations, .modinfo.
func module(t testing.TB, depends string) []byte {
	t.Helper()
	dir := t.TempDir()
	source := `
extern int other(int);
static int counter __attribute__((section(".data..read_mostly"), aligned(32)));
static const char info[] __attribute__((section(".modinfo"), used)) = "license=GPL\0description=A module\0depends=` + depends + `";
int first(int n) { return other(n + counter); }
int second(int n) __attribute__((section(".init.text")));
int second(int n) { counter = n; return first(n); }
int (*table[])(int) = {first, second, other};
`
	run(t, dir, strings.NewReader(source), "gcc", "-c", "-O2", "-fno-pic", "-xc", "-", "-o", "m.o")
	run(t, dir, nil, "objcopy", "m.o", "m.ko")
	return read(t, filepath.Join(dir, "m.ko"))
}

func run(t testing.TB, dir string, stdin *strings.Reader, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(hosttest.Program(t, name), args...)
	cmd.Dir = dir
	if stdin != nil {
		cmd.Stdin = stdin
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// withSection is the module with one more section, by objcopy.
func withSection(t testing.TB, module []byte, name string, content []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	for file, data := range map[string][]byte{"m.ko": module, "content": content} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, nil, "objcopy", "--add-section", name+"=content", "m.ko", "signed.ko")
	return read(t, filepath.Join(dir, "signed.ko"))
}

// TestCutSection: what is left is byte for byte what the section was added to,
// and what objcopy leaves.
func TestCutSection(t *testing.T) {
	plain := module(t, "")
	for _, content := range []string{"x", "12345678", strings.Repeat("signature ", 99)} {
		signed := withSection(t, plain, noteName, []byte(content))
		rest, cut, err := cutSection(signed, noteName)
		if err != nil || string(cut) != content || !bytes.Equal(rest, plain) {
			t.Errorf("%d bytes: %v, equal: %v", len(content), err, bytes.Equal(rest, plain))
		}
	}
	if _, _, err := cutSection(plain, noteName); err == nil {
		t.Error("a section that is not there was cut")
	}
}

// FuzzCutSection: a module that is none costs an error.
func FuzzCutSection(f *testing.F) {
	signed := withSection(f, module(f, ""), noteName, []byte("signature"))
	f.Add(signed)
	f.Add(signed[:len(signed)/2])
	f.Add(signed[:64])
	f.Fuzz(func(t *testing.T, data []byte) {
		rest, _, err := cutSection(data, noteName)
		if err == nil && len(rest) > 64*len(data)+1<<24 {
			t.Errorf("%d bytes of %d", len(rest), len(data))
		}
	})
}

// key is a signing key and its public half as kernel-devel's key.h has it.
func key(t testing.TB) (*packet.PrivateKey, []byte) {
	t.Helper()
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := packet.NewRSAPrivateKey(time.Unix(1389000000, 0), pair)
	var public bytes.Buffer
	if err := private.PublicKey.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	return private, public.Bytes()
}

// signature is a detached OpenPGP signature of data.
func signature(t testing.TB, by *packet.PrivateKey, data []byte) []byte {
	t.Helper()
	sig := &packet.Signature{Version: 4, SigType: packet.SigTypeBinary, PubKeyAlgo: packet.PubKeyAlgoRSA, Hash: crypto.SHA256, CreationTime: time.Unix(1389000001, 0), IssuerKeyId: &by.KeyId}
	h := crypto.SHA256.New()
	h.Write(data)
	var b bytes.Buffer
	if err := sig.Sign(h, by, nil); err != nil {
		t.Fatal(err)
	}
	if err := sig.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCheckNote: only the signature of this module by this key is accepted.
func TestCheckNote(t *testing.T) {
	plain := module(t, "")
	private, public := key(t)
	_, stranger := key(t)
	sig := signature(t, private, plain)
	signed := withSection(t, plain, noteName, sig)
	changed := bytes.Clone(signed)
	changed[bytes.Index(changed, []byte("A module"))] ^= 1
	tests := map[string]struct {
		data, keyring []byte
		want          string
	}{
		"good":              {signed, public, ""},
		"two keys":          {signed, append(bytes.Clone(stranger), public...), ""},
		"no key":            {signed, nil, "no package has the public key"},
		"another key":       {signed, stranger, "is not by the key of kernel-devel"},
		"changed module":    {changed, public, "its signature is bad"},
		"no signature":      {withSection(t, plain, noteName, []byte("x")), public, "cannot be read"},
		"a key as one":      {withSection(t, plain, noteName, public), public, "no OpenPGP signature"},
		"keyring of noise":  {signed, []byte("\x99\x00"), "the public key cannot be read"},
		"not signed at all": {plain, public, "no module with a section module.sig"},
	}
	for name, test := range tests {
		id, err := Module{Data: test.data}.checkNote(test.keyring)
		switch {
		case test.want == "" && (err != nil || id != private.KeyIdString()):
			t.Errorf("%s: %q, %v", name, id, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	for data, want := range map[string]signing{string(plain): unsigned, string(signed): noted, string(plain) + appendedMark: appended} {
		if got := (Module{Data: []byte(data)}).signing(); got != want {
			t.Errorf("signing got %d, want %d", got, want)
		}
	}
}

func TestBytesOfHeader(t *testing.T) {
	header := "/* 3 bytes */\nstatic const unsigned char key[] = {\n0x99,0x01,0xA2,\n};\n"
	if got := bytesOf([]byte(header)); !bytes.Equal(got, []byte{0x99, 0x01, 0xa2}) {
		t.Errorf("got %x", got)
	}
}
