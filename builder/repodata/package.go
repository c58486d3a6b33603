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

// facts are what the lists say about a package.
type facts struct {
	Package
	rpm   *rpm.Package
	files []rpm.File
}

// readAll reads the packages below dir, sorted by path.
func readAll(dir string, known Known) ([]facts, error) {
	paths, err := Paths(dir)
	if err != nil {
		return nil, err
	}
	var list []facts
	seen := map[rpm.NEVRA]string{}
	for _, path := range paths {
		f, err := readPackage(dir, path, known)
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

// Paths returns the paths of the packages below dir that Write lists, sorted, with
// slashes. It is an error if there is no package, because then the name of the folder is
// probably wrong.
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
		return nil, fmt.Errorf("looking for packages: %s has no *.rpm", dir)
	}
	return paths, nil
}

// failed is the folder for the packages of a build that did not make all of them.
const failed = "failed.RPMS"

// hidden reports whether a file is unfinished or not part of the repository.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// readPackage reads a package. It verifies the package unless known knows it.
func readPackage(dir, path string, known Known) (facts, error) {
	file, err := os.Open(filepath.Join(dir, filepath.FromSlash(path)))
	if err != nil {
		return facts{}, errors.Unwrap(err) // the caller adds the path
	}
	defer file.Close()
	if known != nil {
		if size, sum, ok := known(path); ok {
			return readFacts(file, Package{Path: path, Size: size, SHA256: sum})
		}
	}
	sum, size := sha256.New(), &counter{}
	pkg, err := rpm.Verify(io.TeeReader(bufio.NewReaderSize(file, 1<<20), io.MultiWriter(sum, size)))
	if err != nil {
		return facts{}, err
	}
	files, err := pkg.Files()
	if err != nil {
		return facts{}, err
	}
	return facts{Package{path, pkg.NEVRA(), size.n, hex.EncodeToString(sum.Sum(nil))}, pkg, files}, nil
}

// readFacts reads the header of a package that was verified before.
func readFacts(file *os.File, p Package) (facts, error) {
	pkg, err := rpm.ReadPackage(file)
	if err != nil {
		return facts{}, err
	}
	p.NEVRA = pkg.NEVRA()
	files, err := pkg.Files()
	return facts{p, pkg, files}, err
}

// counter is a Writer that counts bytes.
type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}
