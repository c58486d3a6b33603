package sign_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"namibuild/builder/pgp"
	"namibuild/builder/sign"
)

// home makes a GnuPG home and returns it as an environment. Its path is short
// enough for the agent's socket. Its agent ends with the test.
func home(t *testing.T) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nb")
	if err != nil {
		t.Fatal(err)
	}
	// The least work to lock a key. Without it the agent would measure for a second.
	if err := os.WriteFile(filepath.Join(dir, "gpg-agent.conf"), []byte("s2k-count 65536\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"GNUPGHOME=" + dir}
	t.Cleanup(func() {
		tool(t, env, "gpgconf", "--kill", "gpg-agent")
		os.RemoveAll(dir)
	})
	return env
}

// gpgKey makes a key with gpg and returns its fingerprint.
func gpgKey(t *testing.T, env []string, passphrase string, args ...string) string {
	t.Helper()
	must(t, env, "gpg", append([]string{"--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase, "--quick-gen-key", "Test <test@example.org>"}, args...)...)
	return fingerprint(t, env)
}

func fingerprint(t *testing.T, env []string) string {
	t.Helper()
	for line := range strings.Lines(must(t, env, "gpg", "--batch", "--with-colons", "--list-keys")) {
		if f := strings.Split(line, ":"); f[0] == "fpr" {
			return f[9]
		}
	}
	t.Fatal("gpg lists no key")
	return ""
}

// export writes gpg's output to a private file.
func export(t *testing.T, env []string, passphrase string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	must(t, env, "gpg", append([]string{"--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase, "-o", file}, args...)...)
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func fixed(passphrase string) sign.Passphrase {
	return func() ([]byte, error) { return []byte(passphrase), nil }
}

func none() ([]byte, error) { return nil, sign.ErrLocked }

// TestKeyFiles opens keys as people have them.
func TestKeyFiles(t *testing.T) {
	const secret = "Sesam öffne dich"
	tests := map[string]struct {
		make       func(t *testing.T, env []string) string
		passphrase sign.Passphrase
		want       string // of opening or checking; "" is fine
		is         error
	}{
		"RSA": {make: func(t *testing.T, env []string) string {
			gpgKey(t, env, "", "rsa2048", "sign", "never")
			return export(t, env, "", "--export-secret-keys")
		}},
		"RSA, armored, locked, with a subkey": {make: func(t *testing.T, env []string) string {
			fpr := gpgKey(t, env, secret, "rsa2048", "sign", "2y")
			must(t, env, "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", secret, "--quick-add-key", fpr, "rsa2048", "encr", "2y")
			return export(t, env, secret, "--armor", "--export-secret-keys")
		}, passphrase: fixed(secret)},
		"wrong passphrase": {make: func(t *testing.T, env []string) string {
			gpgKey(t, env, secret, "rsa2048", "sign", "never")
			return export(t, env, secret, "--export-secret-keys")
		}, passphrase: fixed("Sesam"), want: "the passphrase is wrong", is: sign.ErrPassphrase},
		"no passphrase": {make: func(t *testing.T, env []string) string {
			gpgKey(t, env, secret, "rsa2048", "sign", "never")
			return export(t, env, secret, "--export-secret-keys")
		}, want: "it is locked, and no passphrase was given", is: sign.ErrLocked},
		"expired": {make: func(t *testing.T, env []string) string {
			must(t, env, "gpg", "--batch", "--faked-system-time", "20200101T000000!", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key", "Test", "rsa2048", "sign", "20210101T000000")
			return export(t, env, "", "--export-secret-keys")
		}, want: "it has expired on 2021-01-01", is: pgp.ErrExpired},
		"revoked": {make: func(t *testing.T, env []string) string {
			fpr := gpgKey(t, env, "", "rsa2048", "sign", "never")
			rev := filepath.Join(strings.TrimPrefix(env[0], "GNUPGHOME="), "openpgp-revocs.d", fpr+".rev")
			page, err := os.ReadFile(rev)
			if err != nil {
				t.Fatal(err)
			}
			os.WriteFile(rev, bytes.Replace(page, []byte("\n:-----"), []byte("\n-----"), 1), 0o600)
			must(t, env, "gpg", "--batch", "--import", rev)
			return export(t, env, "", "--export-secret-keys")
		}, want: "it is revoked", is: pgp.ErrRevoked},
		"certifies only": {make: func(t *testing.T, env []string) string {
			fpr := gpgKey(t, env, "", "rsa2048", "cert", "never")
			must(t, env, "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-add-key", fpr, "rsa2048", "sign", "never")
			return export(t, env, "", "--export-secret-keys")
		}, want: "its primary key is not meant for signing", is: pgp.ErrPurpose},
		"Ed25519": {make: func(t *testing.T, env []string) string {
			gpgKey(t, env, "", "ed25519", "sign", "never")
			return export(t, env, "", "--export-secret-keys")
		}, want: "it is not an RSA key, and rpm of EL6 checks no others"},
		"RSA 1024": {make: func(t *testing.T, env []string) string {
			gpgKey(t, env, "", "rsa1024", "sign", "never")
			return export(t, env, "", "--export-secret-keys")
		}, want: "it is an RSA key of 1024 bits, want at least 2048"},
		"public half": {make: func(t *testing.T, env []string) string {
			gpgKey(t, env, "", "rsa2048", "sign", "never")
			return export(t, env, "", "--export")
		}, want: "it holds the public half only"},
		"primary key offline": {make: func(t *testing.T, env []string) string {
			fpr := gpgKey(t, env, "", "rsa2048", "sign", "never")
			must(t, env, "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-add-key", fpr, "rsa2048", "sign", "never")
			return export(t, env, "", "--export-secret-subkeys")
		}, want: "the private half of its primary key is elsewhere"},
		"two keys": {make: func(t *testing.T, env []string) string {
			gpgKey(t, env, "", "rsa2048", "sign", "never")
			must(t, env, "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key", "Another", "rsa2048", "sign", "never")
			return export(t, env, "", "--export-secret-keys")
		}, want: "it holds 2 keys, want one"},
		"others can read it": {make: func(t *testing.T, env []string) string {
			gpgKey(t, env, "", "rsa2048", "sign", "never")
			file := export(t, env, "", "--export-secret-keys")
			os.Chmod(file, 0o640)
			return file
		}, want: "others on this machine can read it (mode 0640)", is: sign.ErrReadable},
		"no key": {make: func(t *testing.T, _ []string) string {
			file := filepath.Join(t.TempDir(), "key")
			os.WriteFile(file, []byte("hello\n"), 0o600)
			return file
		}, want: "it is not an OpenPGP key file"},
		"cut off": {make: func(t *testing.T, env []string) string {
			gpgKey(t, env, "", "rsa2048", "sign", "never")
			file := export(t, env, "", "--export-secret-keys")
			os.Truncate(file, 700)
			return file
		}, want: "it is not an OpenPGP key file"},
		"missing": {make: func(*testing.T, []string) string { return "/nonexistent/key" }, want: "open /nonexistent/key: no such file", is: os.ErrNotExist},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.passphrase == nil {
				test.passphrase = none
			}
			file := test.make(t, home(t))
			k, err := sign.OpenFile(file, test.passphrase)
			if err == nil {
				err = k.Check(time.Now())
			}
			var about *pgp.KeyError
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !errors.As(err, &about)):
				t.Errorf("got %v, want …%s…", err, test.want)
			case test.is != nil && !errors.Is(err, test.is):
				t.Errorf("%v is not %v", err, test.is)
			}
			if test.want == "" {
				accepted(t, k)
			}
		})
	}
}

// accepted checks that rpm and gpg accept what the key signs.
func accepted(t *testing.T, k sign.Key) {
	t.Helper()
	s := signed(t, set(t, packages()["legacy"]), k, sign.Options{})
	must(t, nil, "rpmkeys", append(append(keyring(t, k), strict...), "-K", filepath.Join(s.Dir, s.RPMs[0].File))...)
	detached(t, k)
}

// detached checks that gpg accepts a detached signature and refuses a changed file.
func detached(t *testing.T, k sign.Key) {
	t.Helper()
	env, dir := home(t), t.TempDir()
	public, err := k.Public()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "repomd.xml")
	os.WriteFile(file, []byte("<repomd/>\n"), 0o666)
	os.WriteFile(file+".key", public, 0o666)
	s, err := k.Detached(context.Background(), strings.NewReader("<repomd/>\n"), k.Time(epoch))
	if err != nil {
		t.Fatal(err)
	}
	again, err := k.Detached(context.Background(), strings.NewReader("<repomd/>\n"), k.Time(epoch))
	if err != nil || !bytes.Equal(s, again) {
		t.Errorf("signing twice gives other bytes: %v", err)
	}
	os.WriteFile(file+".asc", s, 0o666)
	must(t, env, "gpg", "--batch", "--import", file+".key")
	if out := must(t, env, "gpg", "--batch", "--verify", file+".asc", file); !strings.Contains(out, "Good signature") {
		t.Error(out)
	}
	os.WriteFile(file, []byte("<repomd />\n"), 0o666)
	if out, err := tool(t, env, "gpg", "--batch", "--verify", file+".asc", file); err == nil {
		t.Errorf("a changed file passes: %s", out)
	}
}

// TestGenerate checks that gpg can use a new key, with its passphrase and its end,
// and that its file opens again. That rpm imports it is part of every test here
// that calls keyring.
func TestGenerate(t *testing.T) {
	key, secret := made()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := sign.OpenFile(file, fixed("Zaubertrank"))
	if err != nil {
		t.Fatal(err)
	}
	if k.Fingerprint != key.Fingerprint || k.Name != "Kernels <kernels@example.org>" || !k.Created().Equal(born) || k.Expires().Year() != 2074 || k.Bits() != 4096 {
		t.Errorf("%s %s %s %s %d", k.Fingerprint, k.Name, k.Created(), k.Expires(), k.Bits())
	}
	if _, err := sign.OpenFile(file, fixed("Zauber")); !errors.Is(err, sign.ErrPassphrase) {
		t.Error(err)
	}
	accepted(t, k)

	env := home(t)
	must(t, env, "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "Zaubertrank", "--import", file)
	list := must(t, env, "gpg", "--batch", "--with-colons", "--list-secret-keys")
	if !strings.Contains(list, key.Fingerprint) || !strings.Contains(list, ":scSC:") || strings.Contains(list, "\nssb:") {
		t.Errorf("gpg lists\n%s", list)
	}
	must(t, env, "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "Zaubertrank", "-o", file+".sig", "--detach-sign", file)
}

func TestGenerateRefuses(t *testing.T) {
	good := pgp.NewKeyOptions{Name: "a", Created: born}
	for want, change := range map[string]func(*pgp.NewKeyOptions){
		`"" is not a user name`:      func(o *pgp.NewKeyOptions) { o.Name = "" },
		`"a\nb" is not a user name`:  func(o *pgp.NewKeyOptions) { o.Name = "a\nb" },
		"the creation time":          func(o *pgp.NewKeyOptions) { o.Created = time.Time{} },
		"a lifetime of 2400000h0m0s": func(o *pgp.NewKeyOptions) { o.Lifetime = 2400000 * time.Hour },
	} {
		o := good
		change(&o)
		if _, _, err := sign.Generate(o, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want …%s…", err, want)
		}
	}
}

// TestCheck checks that a key signs neither before it was made nor after its end.
func TestCheck(t *testing.T) {
	key, _ := made()
	if err := key.Check(born.Add(-time.Hour)); err == nil || !strings.Contains(err.Error(), "in the future") {
		t.Error(err)
	}
	if err := key.Check(born.AddDate(60, 0, 0)); !errors.Is(err, pgp.ErrExpired) {
		t.Error(err)
	}
	if err := key.Check(born); err != nil {
		t.Error(err)
	}
}

// TestReadPassphrase checks that only a file's owner may be able to read it.
func TestReadPassphrase(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
		fault   string
	}{
		"a line":          {"secret\n", 0o600, "secret", ""},
		"no end":          {"se cret", 0o400, "se cret", ""},
		"Windows":         {"secret\r\nmore\n", 0o600, "secret", ""},
		"empty":           {"\n", 0o600, "", "is not text"},
		"binary":          {"\xff\xfe\n", 0o600, "", "is not text"},
		"others can read": {"secret\n", 0o644, "", "others on this machine can read it (mode 0644)"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "p")
			if err := errors.Join(os.WriteFile(file, []byte(test.content), 0o600), os.Chmod(file, test.mode)); err != nil {
				t.Fatal(err)
			}
			got, err := sign.ReadPassphrase(file)
			if test.fault == "" && (err != nil || string(got) != test.want) || test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
				t.Errorf("got %q, %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
}

// TestVerify checks that we verify detached and raw signatures as gpg does, also
// those of a key that expired later, and refuse those of other data or keys.
func TestVerify(t *testing.T) {
	key, _ := made()
	ctx := context.Background()
	const text = "<repomd/>\n"
	good, err := key.Detached(ctx, strings.NewReader(text), key.Time(epoch))
	if err != nil {
		t.Fatal(err)
	}
	if err := key.VerifyDetached(strings.NewReader(text), good); err != nil {
		t.Error(err)
	}
	env := home(t)
	must(t, env, "gpg", "--batch", "--faked-system-time", "20200101T000000!", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key", "Test", "rsa2048", "sign", "20210101T000000")
	file := filepath.Join(t.TempDir(), "f")
	os.WriteFile(file, []byte(text), 0o666)
	must(t, env, "gpg", "--batch", "--faked-system-time", "20200601T000000!", "--pinentry-mode", "loopback", "--passphrase", "", "--armor", "--detach-sign", file)
	theirs, err := os.ReadFile(file + ".asc")
	if err != nil {
		t.Fatal(err)
	}
	if err := public(t, env).VerifyDetached(strings.NewReader(text), theirs); err != nil {
		t.Errorf("an expired key's former signature: %v", err)
	}
	for name, got := range map[string]error{
		"changed":     key.VerifyDetached(strings.NewReader(text+" "), good),
		"another key": key.VerifyDetached(strings.NewReader(text), theirs),
		"none":        key.VerifyDetached(strings.NewReader(text), []byte(text)),
		"a key":       key.VerifyDetached(strings.NewReader(text), stored(t)),
	} {
		if !errors.Is(got, pgp.ErrBadSignature) {
			t.Errorf("%s: %v", name, got)
		}
	}
	raw, err := key.Raw(ctx, []byte(text))
	if err != nil || key.VerifyRaw([]byte(text), raw) != nil || !errors.Is(key.VerifyRaw([]byte("x"), raw), pgp.ErrBadSignature) {
		t.Errorf("raw: %v", err)
	}
}
