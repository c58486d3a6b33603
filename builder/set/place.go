package set

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
// folder RPMS of one of these, a folder of packages, or a package file. path may be a
// symbolic link, but below it Find follows none. The error is a *PathError if there is no
// package, and an *IrregularError if a package or a folder of packages is something else.
func Find(path string) (Place, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Place{}, &PathError{path, "no such file or folder"}
	case err != nil:
		return Place{}, fmt.Errorf("reading %s: %w", path, err)
	case !info.IsDir() && !info.Mode().IsRegular():
		return Place{}, &IrregularError{path, info.Mode().Type()}
	case !info.IsDir():
		return Place{Kind: Single, Dir: DirOf(path), Packages: filepath.Dir(path), RPMNames: []string{filepath.Base(path)}}, nil
	}
	p := Place{Kind: Output, Dir: above(path)}
	p.Packages = p.Join(RPMS)
	if p.RPMNames, err = packagesIn(p.Packages); errors.Is(err, fs.ErrNotExist) {
		p.Kind, p.Packages = Folder, p.Dir
		p.RPMNames, err = packagesIn(p.Dir + string(filepath.Separator)) // Dir may be a link
	}
	if err != nil {
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
		if _, err := os.Lstat(p.Join(name)); err == nil {
			return true
		}
	}
	return false
}

// packagesIn returns the names of the packages in a folder, sorted. The folder and the
// packages must not be links.
func packagesIn(dir string) (names []string, err error) {
	info, err := os.Lstat(dir)
	if err == nil && !info.IsDir() {
		err = &IrregularError{dir, info.Mode().Type()}
	}
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		switch {
		case e.IsDir() || !strings.HasSuffix(e.Name(), ".rpm"):
		case !e.Type().IsRegular():
			return nil, &IrregularError{filepath.Join(dir, e.Name()), e.Type()}
		default:
			names = append(names, e.Name())
		}
	}
	return names, err
}

// ReadFiles reads and hashes the files beside the packages that Table lists. It ignores all
// other files. The error is an *IrregularError if such a file, a folder of them, or
// anything in such a folder is a link or another special file.
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
// Table lists, in the order of the paths. It ignores hidden files and folders, and special
// files in the set's folder whose names Table does not list.
func (p Place) walk(do func(name string) error) error {
	top := p.Dir + string(filepath.Separator) // Dir may be a link
	return filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == top:
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
		name := filepath.ToSlash(rel)
		if !d.Type().IsRegular() {
			if _, listed := Lookup(name); listed || knownFolder(name) || strings.Contains(name, "/") {
				return &IrregularError{path, d.Type()}
			}
			return nil
		}
		return do(name)
	})
}

// Paths returns the paths of all files below Dir, sorted: also of hidden ones, and of those
// that Table does not list. The error is an *IrregularError if one is not a regular file
// and refuse returns true for its path.
func (p Place) Paths(refuse func(name string) bool) ([]string, error) {
	var all []string
	err := fs.WalkDir(os.DirFS(p.Dir), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
			return err
		case !d.Type().IsRegular() && refuse(name):
			return &IrregularError{p.Join(name), d.Type()}
		}
		all = append(all, name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", p.Dir, err)
	}
	slices.Sort(all)
	return all, nil
}

// skip skips an entry, and what is in it if it is a folder.
func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}
