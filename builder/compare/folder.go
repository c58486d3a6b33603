package compare

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"namibuild/builder/rpm"
)

// filePair holds the paths of two files that belong together. One is empty if
// that side has no such file.
type filePair struct{ name, a, b string }

// ErrNoPackages reports a folder that holds no package.
var ErrNoPackages = errors.New("the folder holds no package")

// pairsOf returns the pairs of files to compare for two paths.

func pairsOf(a, b string) ([]filePair, error) {
	one, aDir, err := packagesIn(a)
	if err != nil {
		return nil, err
	}
	two, bDir, err := packagesIn(b)
	if err != nil {
		return nil, err
	}
	switch {
	case aDir != bDir:
		return nil, fmt.Errorf("comparing %s and %s: one is a file and the other a folder", a, b)
	case !aDir:
		return []filePair{{filepath.Base(a), a, b}}, nil
	}
	return paired(one, two)
}

// packagesIn returns the paths of all packages in a folder, sorted. For a file it
// returns false.
func packagesIn(path string) (files []string, dir bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, fmt.Errorf("comparing: %w", err)
	}
	if !info.IsDir() {
		return nil, false, nil
	}
	from := path
	if info, err := os.Stat(filepath.Join(path, "RPMS")); err == nil && info.IsDir() {
		from = filepath.Join(path, "RPMS")
	}
	err = filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, ".rpm") {
			files = append(files, name)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, true, fmt.Errorf("comparing: %w", err)
	case len(files) == 0:
		return nil, true, fmt.Errorf("comparing %s: %w", from, ErrNoPackages)
	}
	return files, true, nil
}

// paired pairs the packages of two folders: by file name, then the rest in order
// by name and architecture.
func paired(one, two []string) ([]filePair, error) {
	var pairs []filePair
	var rest []string
	for _, a := range one {
		i := slices.IndexFunc(two, func(b string) bool { return filepath.Base(a) == filepath.Base(b) })
		if i < 0 {
			rest = append(rest, a)
			continue
		}
		pairs = append(pairs, filePair{filepath.Base(a), a, two[i]})
		two = slices.Delete(slices.Clone(two), i, i+1)
	}
	left, err := byName(two)
	if err != nil {
		return nil, err
	}
	for _, a := range rest {
		name, err := nameArch(a)
		if err != nil {
			return nil, err
		}
		p := filePair{name: filepath.Base(a), a: a}
		if len(left[name]) > 0 {
			p.b, left[name] = left[name][0], left[name][1:]
		}
		pairs = append(pairs, p)
	}
	for _, list := range left {
		for _, b := range list {
			pairs = append(pairs, filePair{filepath.Base(b), "", b})
		}
	}
	slices.SortFunc(pairs, func(x, y filePair) int { return strings.Compare(x.name, y.name) })
	return pairs, nil
}

// byName returns packages by their names and architectures.
func byName(paths []string) (map[string][]string, error) {
	all := map[string][]string{}
	for _, p := range paths {
		name, err := nameArch(p)
		if err != nil {
			return nil, err
		}
		all[name] = append(all[name], p)
	}
	return all, nil
}

// nameArch returns the name and the architecture of a package.
func nameArch(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("comparing: %w", err)
	}
	defer f.Close()
	p, err := rpm.ReadPackage(f)
	if err != nil {
		return "", fmt.Errorf("comparing %s: %w", filepath.Base(path), err)
	}
	n := p.NEVRA()
	return n.Name + "." + n.Arch, nil
}
