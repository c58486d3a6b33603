package boot

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// module compiles a C file that has what a kernel module has: many sections,
// relocations, .modinfo.
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
	cmd := exec.Command(name, args...)
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

// withSection returns the module with one more section, made by objcopy.
func withSection(t testing.TB, module []byte, name string, content []byte) []byte {
	t.Helper()
	return objcopy(t, module, content, "--add-section", name+"=content")
}

// signedBy returns the module as recipes/demo/modsign.sh signs it.
func signedBy(t testing.TB, sign func(data []byte) []byte, module []byte) []byte {
	t.Helper()
	section := make([]byte, 1024)
	plain := withSection(t, module, demoSection, section)
	copy(section, sign(plain))
	return objcopy(t, plain, section, "--update-section", demoSection+"=content")
}

func objcopy(t testing.TB, module, content []byte, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	for file, data := range map[string][]byte{"m.ko": module, "content": content} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, nil, "objcopy", append(args, "m.ko", "out.ko")...)
	return read(t, filepath.Join(dir, "out.ko"))
}

// FuzzVerifyNote checks that a signature is accepted for the bytes that were
// signed alone, and that a damaged file costs no more than an error.
func FuzzVerifyNote(f *testing.F) {
	private, public := key(f)
	var want []byte
	good := signedBy(f, func(data []byte) []byte {
		want = data
		return signature(f, private, data)
	}, module(f, ""))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(good[:64])
	f.Fuzz(func(t *testing.T, data []byte) {
		m := Module{Data: data}
		if _, err := m.verifyNote(public); err != nil {
			return
		}
		if got, _, err := m.splitNote(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("accepted for other bytes than the signed ones, %v", err)
		}
	})
}

// key makes a signing key, and its public half as kernel-devel's key.h has it.
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

// signature makes a detached OpenPGP signature of data.
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

// TestVerifyNote checks that only the signature of this module by this key is
// accepted.
func TestVerifyNote(t *testing.T) {
	plain := module(t, "")
	private, public := key(t)
	_, stranger := key(t)
	signed := signedBy(t, func(data []byte) []byte { return signature(t, private, data) }, plain)
	flip := func(at int) []byte {
		data := bytes.Clone(signed)
		data[at] ^= 1
		return data
	}
	f, err := elf.NewFile(bytes.NewReader(signed))
	if err != nil {
		t.Fatal(err)
	}
	section := f.Section(demoSection)
	tests := map[string]struct {
		data, keyring []byte
		want          string
	}{
		"good":                {signed, public, ""},
		"two keys":            {signed, append(bytes.Clone(stranger), public...), ""},
		"no key":              {signed, nil, "no package has the public key"},
		"another key":         {signed, stranger, "is not by the key of kernel-devel"},
		"changed module":      {flip(bytes.Index(signed, []byte("A module"))), public, "its signature is bad"},
		"changed padding":     {flip(int(section.Offset+section.Size) - 1), public, "no OpenPGP signature"},
		"no signature":        {withSection(t, plain, demoSection, []byte("x")), public, "cannot be read"},
		"a key as one":        {withSection(t, plain, demoSection, public), public, "no OpenPGP signature"},
		"keyring of noise":    {signed, []byte("\x99\x00"), "reading the public key"},
		"not signed at all":   {plain, public, "no section module.sig"},
		"section of EL6 only": {withSection(t, plain, el6Section, []byte("x")), public, "no section module.sig"},
	}
	for name, test := range tests {
		id, err := Module{Data: test.data}.verifyNote(test.keyring)
		switch {
		case test.want == "" && (err != nil || id != private.KeyIdString()):
			t.Errorf("%s: %q, %v", name, id, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

func TestSigning(t *testing.T) {
	plain := module(t, "")
	for name, test := range map[string]struct {
		data []byte
		want signing
	}{
		"unsigned": {plain, unsigned},
		"demo":     {withSection(t, plain, demoSection, []byte("x")), noted},
		"EL6":      {withSection(t, plain, el6Section, []byte("x")), noted},
		"appended": {append(bytes.Clone(plain), appendedMark...), appended},
	} {
		if got := (Module{Data: test.data}).signing(); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}

// TestEL6KernelVerifies checks that a kernel that knows EL6's section, and only
// that one, gets a damaged copy of the module to refuse.
func TestEL6KernelVerifies(t *testing.T) {
	data := withSection(t, module(t, ""), el6Section, []byte("signature"))
	o := Order{Kernel: Kernel{Modules: []Module{{Name: "m", Wanted: true, Data: data}}, Config: Config{"MODULE_SIG": "y"}}}
	o.Want.Signed = true
	attempts := o.attempts()
	if len(attempts) != 2 || !attempts[0].damaged || bytes.Equal(attempts[0].data, data) || !bytes.Equal(attempts[1].data, data) {
		t.Fatalf("got %d attempts", len(attempts))
	}
	c := o.checkModule(1, attempts, observation{Modules: map[int]int{0: 129, 1: 0}})
	if !c.Passed || c.Got != "loads, signature accepted by the kernel, a damaged copy refused (EKEYREJECTED)" {
		t.Errorf("got %+v", c)
	}
	o.Kernel.Config = Config{}
	if attempts := o.attempts(); len(attempts) != 1 {
		t.Errorf("without MODULE_SIG: got %d attempts", len(attempts))
	}
}

func TestBytesOfHeader(t *testing.T) {
	header := "/* 3 bytes */\nstatic const unsigned char key[] = {\n0x99,0x01,0xA2,\n};\n"
	if got := bytesOf([]byte(header)); !bytes.Equal(got, []byte{0x99, 0x01, 0xa2}) {
		t.Errorf("got %x", got)
	}
}
