package builder

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"namibuild/builder/rpm"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sumFiles gives the digests of all files beneath dir as sha256sum prints them,
// by path; SHA256SUMS and its signature are left out. known are packages, by path,
// that need not be read again.
func sumFiles(dir string, known map[string]rpm.Inspection) ([]byte, error) {
	var out bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { // by name
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || rel == Sums || rel == Sums+".asc" {
			return err
		}
		i, ok := known[filepath.ToSlash(rel)]
		sum := i.File.SHA256
		if !ok {
			sum, err = sumFile(path)
		}
		fmt.Fprintf(&out, "%s  %s\n", sum, filepath.ToSlash(rel))
		return err
	})
	return out.Bytes(), err
}

func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// sums checks SHA256SUMS: its signature, every file in it, and that there are no
// others.
func (v *verifying) sums() {
	page, err := os.ReadFile(filepath.Join(v.Dir, Sums))
	if errors.Is(err, os.ErrNotExist) && !v.bundle() {
		return
	}
	if err == nil {
		err = v.signedSums(page)
	}
	if err == nil {
		err = v.compareSums(page)
	}
	v.found("files", err, "%s as %s says, signed", count(bytes.Count(page, []byte("\n")), "file"), Sums)
}

func (v *verifying) signedSums(page []byte) error {
	if v.Certificate == nil {
		return fmt.Errorf("%s: no key to check it with", Sums)
	}
	signature, err := os.ReadFile(filepath.Join(v.Dir, Sums+".asc"))
	if err != nil {
		return err
	}
	if err := v.Certificate.VerifyDetached(bytes.NewReader(page), signature); err != nil {
		return fmt.Errorf("%s: %w", Sums, err)
	}
	return nil
}

func (v *verifying) compareSums(page []byte) error {
	now, err := sumFiles(v.Dir, v.known)
	if err != nil {
		return err
	}
	if bytes.Equal(page, now) {
		return nil
	}
	there, said := sumLines(now), sumLines(page)
	for _, name := range slices.Sorted(maps.Keys(union(there, said))) {
		switch {
		case there[name] == "":
			return fmt.Errorf("%s is missing", name)
		case said[name] == "":
			return fmt.Errorf("%s is not in %s", name, Sums)
		case there[name] != said[name]:
			return fmt.Errorf("%s: sha256 got %s, want %s", name, there[name], said[name])
		}
	}
	return fmt.Errorf("%s is not as sha256sum writes it", Sums)
}

// sumLines maps names to digests.
func sumLines(page []byte) map[string]string {
	all := map[string]string{}
	for s := bufio.NewScanner(bytes.NewReader(page)); s.Scan(); {
		if sum, name, ok := strings.Cut(s.Text(), "  "); ok {
			all[name] = sum
		}
	}
	return all
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
