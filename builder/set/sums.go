package set

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// KnownFile returns size and digest of a file that was hashed before.
type KnownFile func(name string) (size int64, sha256 string, ok bool)

// Sums returns the digests of all files below dir as sha256sum prints them, sorted by
// path. It leaves out the files that Table marks as Unsummed, which are SHA256SUMS
// and its signature. It reads only files that are not known.
func Sums(dir string, known KnownFile) ([]byte, error) {
	var out bytes.Buffer
	err := filepath.WalkDir(dir+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error { // by name
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if row, ok := Lookup(name); ok && row.Has(Unsummed) {
			return nil
		}
		_, sum, ok := known(name)
		if !ok {
			f, err := ReadFile(dir, name)
			if err != nil {
				return err
			}
			sum = f.SHA256
		}
		fmt.Fprintf(&out, "%s  %s\n", sum, name)
		return nil
	})
	return out.Bytes(), err
}

// CompareSums compares the content of SHA256SUMS with the files below dir, and returns an
// error that names the first file which is missing, is not listed, or has another digest.
func CompareSums(dir string, page []byte, known KnownFile) error {
	now, err := Sums(dir, known)
	if err != nil {
		return err
	}
	if bytes.Equal(page, now) {
		return nil
	}
	found, listed := sumLines(now), sumLines(page)
	for _, name := range slices.Sorted(maps.Keys(union(found, listed))) {
		switch {
		case found[name] == "":
			return fmt.Errorf("%s is missing", name)
		case listed[name] == "":
			return fmt.Errorf("%s is not in %s", name, SumsFile)
		case found[name] != listed[name]:
			return fmt.Errorf("%s: sha256 got %s, want %s", name, found[name], listed[name])
		}
	}
	return fmt.Errorf("%s is not as sha256sum writes it", SumsFile)
}

// sumLines returns the digests in a list of sha256sum, by name.
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
