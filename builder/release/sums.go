package release

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"namibuild/builder/event"
	"namibuild/builder/set"
)

// knownFile returns size and digest of a file that was hashed before.
type knownFile func(name string) (size int64, sha256 string, ok bool)

// sums returns the digests of all files below dir as sha256sum prints them, sorted by
// path. It leaves out the files that set.Table marks as Unsummed, which are SHA256SUMS
// and its signature. It reads only files that are not known.
func sums(dir string, known knownFile) ([]byte, error) {
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
		if row, ok := set.Lookup(name); ok && row.Has(set.Unsummed) {
			return nil
		}
		_, sum, ok := known(name)
		if !ok {
			f, err := set.ReadFile(dir, name)
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

// sums checks SHA256SUMS: its signature, every file that it lists, and that there are no
// other files.
func (v *verifying) sums() {
	page, err := v.read(set.SumsFile)
	if v.optional(err) {
		return
	}
	if err == nil {
		err = v.signedSums(page)
	}
	if err == nil {
		err = v.compareSums(page)
	}
	v.found("files", err, "%s as %s says, signed", event.Count(bytes.Count(page, []byte("\n")), "file"), set.SumsFile)
}

// signedSums checks the signature of SHA256SUMS.
func (v *verifying) signedSums(page []byte) error {
	if v.Certificate == nil {
		return fmt.Errorf("%s: there is no key to check it with", set.SumsFile)
	}
	signature, err := v.read(set.SumsFile + set.SignatureEnd)
	if err != nil {
		return err
	}
	if err := v.Certificate.VerifyDetached(bytes.NewReader(page), signature); err != nil {
		return fmt.Errorf("%s: %w", set.SumsFile, err)
	}
	return nil
}

// compareSums compares SHA256SUMS with the files.
func (v *verifying) compareSums(page []byte) error {
	now, err := sums(v.place.Dir, v.known)
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
			return fmt.Errorf("%s is not in %s", name, set.SumsFile)
		case found[name] != listed[name]:
			return fmt.Errorf("%s: sha256 got %s, want %s", name, found[name], listed[name])
		}
	}
	return fmt.Errorf("%s is not as sha256sum writes it", set.SumsFile)
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
