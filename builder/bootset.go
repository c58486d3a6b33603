package builder

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"namibuild/builder/boot"
)

// Booted is what Boot is given to boot: packages, and what their build noted.
type Booted struct {
	// Dir is the output directory; empty for a package file alone.
	Dir   string
	Files []string
	// Packages are the files with their digests.
	Packages []boot.Package
	// Record is the build's; nil when there is none, or when it is Foreign: about
	// other packages.
	Record  *Result
	Foreign bool
}

// NoSetError says that a path is neither an output directory nor a package.
type NoSetError struct{ Path, Reason string }

func (e *NoSetError) Error() string { return fmt.Sprintf("reading %s: %s", e.Path, e.Reason) }

// StaleSetError says that a set cannot be described any more: an earlier version of
// namibuild made it, or a file of its record is not as the build left it.
type StaleSetError struct{ Path, Reason string }

func (e *StaleSetError) Error() string { return fmt.Sprintf("reading %s: %s", e.Path, e.Reason) }

// openSet finds the packages of an output directory, of its RPMS folder, or
// the one package of a file.
func openSet(path string) (Booted, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return Booted{}, &NoSetError{path, "there is none"}
	}
	if err != nil {
		return Booted{}, err
	}
	var s Booted
	if !info.IsDir() {
		s.Files = []string{path}
	} else {
		path = filepath.Clean(path)
		if filepath.Base(path) == RPMS {
			path = filepath.Dir(path)
		}
		s.Dir = path
		if s.Files, err = filepath.Glob(filepath.Join(path, RPMS, "*.rpm")); err != nil || len(s.Files) == 0 {
			return Booted{}, cmp.Or(err, error(&NoSetError{path, "no package in its folder " + RPMS}))
		}
	}
	if s.Packages, err = boot.Digests(s.Files); err != nil {
		return Booted{}, err
	}
	if s.Dir != "" {
		s.Record, s.Foreign, err = readRecord(s.Dir, s.Packages)
	}
	return s, err
}

// readRecord reads what a build noted of these packages; foreign: what it noted
// is about others.
func readRecord(dir string, packages []boot.Package) (_ *Result, foreign bool, err error) {
	data, err := os.ReadFile(filepath.Join(dir, RecordJSN))
	if errors.Is(err, os.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var r Result
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, false, fmt.Errorf("reading %s: %w", filepath.Join(dir, RecordJSN), err)
	}
	var recorded []boot.Package
	for _, p := range r.RPMs {
		recorded = append(recorded, boot.Package{File: p.File, SHA256: p.SHA256})
	}
	slices.SortFunc(recorded, func(a, b boot.Package) int { return strings.Compare(a.File, b.File) })
	if !slices.Equal(recorded, packages) {
		return nil, true, nil
	}
	return &r, false, nil
}
