package modkey

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/rpm/rpmtest"
)

// TestOpen checks that a key is read from a file that only its owner may read.
func TestOpen(t *testing.T) {
	k, text := newKey(t)
	file := filepath.Join(t.TempDir(), "my.key")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Open(file); err != nil || got.Fingerprint != k.Fingerprint {
		t.Errorf("got %s, %v", got.Fingerprint, err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil || !strings.HasSuffix(err.Error(), "its mode is 0640, want 0600: others could read it") {
		t.Errorf("a file that others may read: %v", err)
	}
	if _, err := Open(file + ".absent"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestCheckPackage checks that the private half is found in a header, in a file and in a
// compressed file of a package.
func TestCheckPackage(t *testing.T) {
	k, text := newKey(t)
	secret := strings.ReplaceAll(string(text), "\n", "")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(secret)); err != nil || w.Close() != nil {
		t.Fatal("packing")
	}
	for name, test := range map[string]struct {
		release, content, where string
	}{
		"clean":      {"1", "x", ""},
		"header":     {secret, "x", "a.rpm"},
		"file":       {"1", secret, "./a.ko of a.rpm"},
		"compressed": {"1", packed.String(), "./a.ko of a.rpm, unpacked"},
	} {
		t.Run(name, func(t *testing.T) {
			p := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "1", Release: test.release, Arch: "x86_64",
				Files: []rpmtest.File{{Path: "/a.ko", Content: test.content, Mode: 0o100644}}})
			err := k.CheckPackage(bytes.NewReader(p), "a.rpm")
			if leak := (*LeakError)(nil); errors.As(err, &leak) != (test.where != "") || leak != nil && leak.Where != test.where || leak == nil && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

func newKey(t *testing.T) (k Key, text []byte) {
	t.Helper()
	k, err := New(rand.Reader, OpenPGP, "test")
	if err == nil {
		text, err = k.Text()
	}
	if err != nil {
		t.Fatal(err)
	}
	return k, text
}
