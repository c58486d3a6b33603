package set

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Kind says how a set lies on the disk.
type Kind string

// These are the kinds of sets.
const (
	// Output is the output directory of a build: a folder RPMS and the records.
	Output Kind = "output directory"
	// Release is a release: a signed repository with all records.
	Release Kind = "release"
	// Folder is a folder that has packages, but no folder RPMS.
	Folder Kind = "folder of packages"
	// Single is one package file.
	Single Kind = "package"
)

// Place says where a set lies and which packages it has. Find reads only folders.
type Place struct {
	Kind Kind
	// Dir is the folder of the records. For a Single it is the folder that the package
	// belongs to.
	Dir string
	// Packages is the folder of the packages.
	Packages string
	// RPMNames are the names of the packages in Packages, and SRPMNames those of the
	// source packages in the folder SRPMS of Dir. Both are sorted.
	RPMNames, SRPMNames []string
}

// Join returns the path of an entry of Dir. name has slashes.
func (p Place) Join(name string) string { return filepath.Join(p.Dir, filepath.FromSlash(name)) }

// Find finds the set that a path names. The path is an output directory, a release, the
// folder RPMS of one of these, a folder of packages, or a package file. The error is a
// *PathError if there is no package.
func Find(path string) (Place, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Place{}, &PathError{path, "no such file or folder"}
	case err != nil:
		return Place{}, fmt.Errorf("reading %s: %w", path, err)
	case !info.IsDir():
		return Place{Kind: Single, Dir: DirOf(path), Packages: filepath.Dir(path), RPMNames: []string{filepath.Base(path)}}, nil
	}
	p := Place{Kind: Output, Dir: above(path)}
	p.Packages = p.Join(RPMS)
	if inner, err := os.Stat(p.Packages); err != nil || !inner.IsDir() {
		p.Kind, p.Packages = Folder, p.Dir
	}
	if p.RPMNames, err = packagesIn(p.Packages); err != nil {
		return Place{}, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(p.RPMNames) == 0 {
		return Place{}, &PathError{path, "no package, neither in it nor in its folder " + RPMS}
	}
	if p.SRPMNames, err = packagesIn(p.Join(SRPMS)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Place{}, fmt.Errorf("reading %s: %w", path, err)
	}
	if p.isRelease() {
		p.Kind = Release
	}
	return p, nil
}

// DirOf returns the folder of the records that a path of a set belongs to, whether or not
// it has any.
func DirOf(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	return above(path)
}

// above returns the folder that a folder of packages belongs to: its parent if it is named
// RPMS, otherwise itself.
func above(dir string) string {
	dir = filepath.Clean(dir)
	if abs, err := filepath.Abs(dir); err == nil && filepath.Base(abs) == RPMS {
		if dir == "." {
			return ".."
		}
		return filepath.Dir(dir)
	}
	return dir
}

// isRelease reports whether the folder has a file that only a release has.
func (p Place) isRelease() bool {
	for _, name := range []string{ReleaseFile, SumsFile + SignatureEnd} {
		if _, err := os.Stat(p.Join(name)); err == nil {
			return true
		}
	}
	return false
}

// packagesIn returns the names of the packages in a folder, sorted.
func packagesIn(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".rpm") {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// ReadFiles reads and hashes the files beside the packages that Table lists. It ignores all
// other files.
func (p Place) ReadFiles() (Files, error) {
	var all Files
	err := p.walk(func(name string) error {
		row, known := Lookup(name)
		if !known || row.Package() {
			return nil
		}
		f, err := ReadFile(p.Dir, name)
		all = append(all, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", p.Dir, err)
	}
	return all, nil
}

// walk calls do with the path of every file in the set's folder and in the folders that
// Table lists, in the order of the paths. It ignores hidden files and folders.
func (p Place) walk(do func(name string) error) error {
	return filepath.WalkDir(p.Dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == p.Dir:
			return nil
		case strings.HasPrefix(d.Name(), "."):
			return skip(d)
		case d.IsDir() && !knownFolder(d.Name()):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		rel, err := filepath.Rel(p.Dir, path)
		if err != nil {
			return err
		}
		return do(filepath.ToSlash(rel))
	})
}

// skip skips an entry, and what is in it if it is a folder.
func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}
