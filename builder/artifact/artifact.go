// Package artifact holds the result of a build: the [Set] of its packages.
//
// [Collect] writes the packages from the container's tar stream into a folder and
// checks them on the way; the caller gives the folder its final name afterwards.
// [Open] reads and checks such a folder later. [Set.CheckConfig] checks that the
// built kernels have the options that the recipe asks for.
package artifact

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"namibuild/builder/rpm"
)

// RPM is one package whose header and digests were checked.
type RPM struct {
	File   string    `json:"file"` // name in the set's folder
	NEVRA  rpm.NEVRA `json:"nevra"`
	Size   int64     `json:"size"`   // bytes
	SHA256 string    `json:"sha256"` // lower-case hexadecimal
}

// Set is all packages of one build, sorted by file name. Dir is their folder.
type Set struct {
	Dir  string `json:"-"`
	RPMs []RPM  `json:"packages"`
}

// MissingError reports a build that succeeded without making all wanted packages.
type MissingError struct {
	Missing []string // package names
	Made    []string // file names
}

func (e *MissingError) Error() string {
	made := "no package at all"
	if len(e.Made) > 0 {
		made = strings.Join(e.Made, ", ")
	}
	return fmt.Sprintf("the recipe wants %s; the build made %s", strings.Join(e.Missing, ", "), made)
}

// Collect writes every .rpm of a tar stream into dir, which must be empty or not
// exist. It checks the header, size and digests of each package, and its file name
// against its NEVRA. If no package has one of the wanted names, it returns the Set
// and a *MissingError. On any other error it removes dir.
func Collect(r io.Reader, dir string, wanted []string) (Set, error) {
	set, err := collect(r, dir)
	if err != nil {
		return Set{}, errors.Join(err, os.RemoveAll(dir))
	}
	return set, set.want(wanted)
}

func collect(r io.Reader, dir string) (Set, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return Set{}, fmt.Errorf("collecting: %w", err)
	}
	set := Set{Dir: dir}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Set{}, fmt.Errorf("collecting: %w", err)
		}
		if h.Typeflag != tar.TypeReg || !strings.HasSuffix(h.Name, ".rpm") {
			continue
		}
		one, err := writeRPM(tr, dir, path.Base(h.Name))
		if err != nil {
			return Set{}, err
		}
		set.RPMs = append(set.RPMs, one)
	}
	slices.SortFunc(set.RPMs, func(a, b RPM) int { return strings.Compare(a.File, b.File) })
	return set, nil
}

// want checks that the set has packages of these names.
func (s Set) want(names []string) error {
	e := &MissingError{}
	for _, r := range s.RPMs {
		e.Made = append(e.Made, r.File)
	}
	for _, n := range names {
		if !slices.ContainsFunc(s.RPMs, func(r RPM) bool { return r.NEVRA.Name == n }) {
			e.Missing = append(e.Missing, n)
		}
	}
	if len(e.Missing) > 0 {
		return e
	}
	return nil
}

// writeRPM writes one package to a file and checks it at the same time.
func writeRPM(r io.Reader, dir, name string) (RPM, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return RPM{}, fmt.Errorf("collecting: %w", err)
	}
	one, err := check(io.TeeReader(r, f))
	if cerr := errors.Join(f.Sync(), f.Close()); cerr != nil {
		return RPM{}, fmt.Errorf("collecting %s: %w", name, cerr)
	}
	if want := one.NEVRA.Filename(); err == nil && want != name {
		err = fmt.Errorf("its header names it %s", want)
	}
	if err != nil {
		return RPM{}, fmt.Errorf("checking %s: %w", name, err)
	}
	one.File = name
	return one, nil
}

// check reads a package to its end and checks all digests in it.
func check(r io.Reader) (RPM, error) {
	h := sha256.New()
	count := &counter{}
	pkg, err := rpm.Verify(io.TeeReader(r, io.MultiWriter(h, count)))
	if err != nil {
		return RPM{}, err
	}
	return RPM{NEVRA: pkg.NEVRA(), Size: count.n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

// counter is a Writer that counts bytes.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
