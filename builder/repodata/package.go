package repodata

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"namibuild/builder/rpm"
)

// Package is one package of a repository.
type Package struct {
	Path   string    `json:"path"` // in the repository, with slashes
	NEVRA  rpm.NEVRA `json:"nevra"`
	Size   int64     `json:"size"`   // bytes
	SHA256 string    `json:"sha256"` // lower-case hexadecimal
}

// facts are a package with what the lists tell of it.
type facts struct {
	Package
	rpm   *rpm.Package
	files []rpm.File
}

// readAll reads the packages beneath dir in the order of their paths. Those of known
// are not read again.
func readAll(dir string, known map[string]rpm.Inspection) ([]facts, error) {
	paths, err := Paths(dir)
	if err != nil {
		return nil, err
	}
	var list []facts
	seen := map[rpm.NEVRA]string{}
	for _, path := range paths {
		var f facts
		var err error
		if i, ok := known[path]; ok {
			f, err = factsOf(path, i)
		} else {
			f, err = readPackage(dir, path)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		if first, twice := seen[f.NEVRA]; twice {
			return nil, fmt.Errorf("reading packages: %s and %s are the same package, %s", first, path, f.NEVRA)
		}
		seen[f.NEVRA] = path
		list = append(list, f)
	}
	return list, nil
}

// Paths are the packages beneath dir that Write lists, in its order, with
// slashes. No package is an error: an empty repository is a mistake in the
// folder's name.
func Paths(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && d.IsDir() && (hidden(d.Name()) || d.Name() == folder || d.Name() == failed):
			return fs.SkipDir
		case d.IsDir() || hidden(d.Name()) || !strings.HasSuffix(d.Name(), ".rpm"):
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		paths = append(paths, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for packages: %w", err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("looking for packages: %s holds no *.rpm", dir)
	}
	return paths, nil
}

// failed is where a build keeps packages that are not all it should have made.
const failed = "failed.RPMS"

// hidden says that something is unfinished, or no part of the repository.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

func readPackage(dir, path string) (facts, error) {
	file, err := os.Open(filepath.Join(dir, filepath.FromSlash(path)))
	if err != nil {
		return facts{}, errors.Unwrap(err) // the path is in what the caller says
	}
	defer file.Close()
	sum, size := sha256.New(), &counter{}
	pkg, err := rpm.Verify(io.TeeReader(bufio.NewReaderSize(file, 1<<20), io.MultiWriter(sum, size)))
	if err != nil {
		return facts{}, err
	}
	return factsOf(path, rpm.Inspection{Package: pkg, File: rpm.Sum{Size: size.n, SHA256: hex.EncodeToString(sum.Sum(nil))}})
}

// factsOf returns the facts of a package that was verified.
func factsOf(path string, i rpm.Inspection) (facts, error) {
	files, err := i.Package.Files()
	if err != nil {
		return facts{}, err
	}
	return facts{Package{path, i.Package.NEVRA(), i.File.Size, i.File.SHA256}, i.Package, files}, nil
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}
