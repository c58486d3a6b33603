package set

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Kind is the form of a set.
type Kind string

// The kinds of sets.
const (
	// Output is the output directory of a build: RPMS and the records.
	Output Kind = "output directory"
	// Release is a signed repository with all records.
	Release Kind = "release"
	// Folder is a folder with packages in it, and no folder RPMS.
	Folder Kind = "folder of packages"
	// Single is one package file.
	Single Kind = "package"
)

// Place is where a set lies and which packages are there. Nothing was read of them.
type Place struct {
	Kind Kind
	// Dir is the folder of the records. For a Single it is the folder that the
	// package belongs to.
	Dir string
	// Packages is the folder of the packages.
	Packages string
	// RPMNames are the names of the packages in Packages, SRPMNames those of the source
	// packages in the folder SRPMS of Dir, sorted.
	RPMNames, SRPMNames []string
}

// Join gives the path of an entry of the set.
func (p Place) Join(name string) string { return filepath.Join(p.Dir, filepath.FromSlash(name)) }

// Find tells what set a path is: an output directory, a release, the folder RPMS of one
// of these, a folder of packages, or a package file. The error is a *PathError where
// there is no package.
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

// DirOf gives the folder of the records that a path of a set belongs to. It does not look
// whether there are any.
func DirOf(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	return above(path)
}

// above gives the folder that a folder of packages belongs to: its parent if it is
// named RPMS, otherwise itself.
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

// packagesIn gives the names of the packages in a folder, sorted.
func packagesIn(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".rpm") {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// ReadFiles reads and hashes the files of Table that lie beside the packages. Files
// that Table does not know are left out.
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

// walk calls do for every file of the set's folder and of the folders that Table knows, by path.
// What is hidden is left out.
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

func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}
