package pgp_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"namibuild/builder/pgp"
)

func TestParseKeysErrors(t *testing.T) {
	for name, in := range map[string]string{
		"empty": "", "text": "no key\n",
		"cut":     "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ",
		"private": "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nmQ==\n-----END PGP PRIVATE KEY BLOCK-----\n",
	} {
		if keys, err := pgp.ParseKeys(strings.NewReader(in)); err == nil || keys != nil {
			t.Errorf("%s: got %v, %v", name, keys, err)
		}
	}
	failing := errors.New("failing")
	if _, err := pgp.ParseKeys(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(failing))); !errors.Is(err, failing) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// centosKey returns the file of a real key from the tests of another package that
// reads RPMs.
func centosKey(t testing.TB, release string) []byte {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/cavaliergopher/rpm").Output()
	if err != nil {
		t.Fatalf("the module github.com/cavaliergopher/rpm is not in the module cache (go mod download): %v", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "testdata", "RPM-GPG-KEY-CentOS-"+release))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestPublicRoundTrip checks that real keys, RSA and DSA, are the same after they
// were written and read again.
func TestPublicRoundTrip(t *testing.T) {
	for _, release := range []string{"3", "5", "6", "7"} {
		file := centosKey(t, release)
		keys, err := pgp.ParseKeys(bytes.NewReader(append(file, file...)))
		if err != nil || len(keys) != 2 {
			t.Fatalf("CentOS %s: %d keys from two blocks, %v", release, len(keys), err)
		}
		public, err := keys[0].Public()
		if err != nil {
			t.Fatal(err)
		}
		again, err := pgp.ParseKeys(bytes.NewReader(public))
		if err != nil || len(again) != 1 || again[0].Fingerprint != keys[0].Fingerprint || again[0].Name != keys[0].Name || !strings.Contains(again[0].Name, "CentOS") {
			t.Errorf("CentOS %s: got %+v, %v, want %s of %s", release, again, err, keys[0].Fingerprint, keys[0].Name)
		}
	}
}

// certified returns a new key of 2048 bits and its private half.
func certified(t *testing.T) (pgp.Key, *rsa.PrivateKey) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	o := pgp.NewKeyOptions{Name: "Test <test@example.org>", Created: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), Lifetime: time.Hour}
	k, err := pgp.Certify(&private.PublicKey, o, func(_ pgp.Key, digest [sha256.Size]byte) ([]byte, error) {
		return signRSA(private, digest[:])
	})
	if err != nil {
		t.Fatal(err)
	}
	return k, private
}

// TestSecretRoundTrip checks that a secret key file opens with its passphrase
// alone, and that it holds the same key.
func TestSecretRoundTrip(t *testing.T) {
	k, private := certified(t)
	for _, passphrase := range []string{"", "Zaubertrank"} {
		file, err := k.Secret(private, []byte(passphrase))
		if err != nil {
			t.Fatal(err)
		}
		s, err := pgp.ParseSecretKey(file)
		if err != nil || s.Fingerprint != k.Fingerprint || s.Name != k.Name || !s.Expires().Equal(k.Created().Add(time.Hour)) || s.Locked() != (passphrase != "") {
			t.Fatalf("got %+v, locked %t, %v", s.Key, s.Locked(), err)
		}
		if _, err := s.Unlock([]byte("Zauber")); s.Locked() && !errors.Is(err, pgp.ErrUnlock) {
			t.Errorf("wrong passphrase: %v", err)
		}
		if got, err := s.Unlock([]byte(passphrase)); err != nil || !got.Equal(private) {
			t.Errorf("another private key, %v", err)
		}
	}
	public, err := k.Public()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pgp.ParseSecretKey(public); !errors.Is(err, pgp.ErrPublicOnly) {
		t.Errorf("a public key: %v", err)
	}
}
