package boot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The names of a proof's files in an output directory.
const (
	ProofFile = "proof.json"
	LogFile   = "proof.log"
)

// Digests returns the packages of these paths with their digests, sorted by file
// name.
func Digests(paths []string) ([]Package, error) {
	var all []Package
	for _, p := range paths {
		sum, err := digest(p)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", filepath.Base(p), err)
		}
		all = append(all, Package{filepath.Base(p), sum})
	}
	slices.SortFunc(all, func(a, b Package) int { return strings.Compare(a.File, b.File) })
	return all, nil
}

// digest returns the SHA-256 of a file in hexadecimal.
func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Write writes a proof and the console's log to a folder.
func Write(dir string, p Proof, log []byte) error {
	page, err := p.JSON()
	if err == nil {
		err = settle(dir, File{Name: LogFile, Data: log}, File{Name: ProofFile, Data: page})
	}
	if err != nil {
		return fmt.Errorf("writing the proof: %w", err)
	}
	return nil
}

// settle writes files to a folder. They appear by rename once all of them are on
// the disk.
func settle(dir string, files ...File) error {
	var parts []string
	defer func() {
		for _, part := range parts {
			os.Remove(part) // fails for those that were renamed
		}
	}()
	for _, f := range files {
		part, err := writePart(dir, f)
		if err != nil {
			return err
		}
		parts = append(parts, part)
	}
	for i, f := range files {
		if err := os.Rename(parts[i], filepath.Join(dir, f.Name)); err != nil {
			return err
		}
	}
	return nil
}

// JSON returns the proof as ProofFile holds it.
func (p Proof) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(p)
	return b.Bytes(), err
}

// writePart writes a file under a temporary name and returns that name.
func writePart(dir string, file File) (string, error) {
	f, err := os.CreateTemp(dir, "."+file.Name+".part-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(file.Data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// UnprovenError reports that no proof says that a set of packages works.
type UnprovenError struct {
	Dir    string
	Reason string
}

// kernelFailed begins the reason if there is a proof and its kernel failed.
const kernelFailed = "its kernel failed"

// Failed reports whether there is a proof, and its kernel failed.
func (e *UnprovenError) Failed() bool { return strings.HasPrefix(e.Reason, kernelFailed) }

func (e *UnprovenError) Error() string { return fmt.Sprintf("%s is not proven: %s", e.Dir, e.Reason) }

// Proven returns the proof of an output directory. The error is an *UnprovenError
// if there is none, if its kernel failed, or if it is about packages with other
// digests than those in RPMS.
func Proven(dir string) (Proof, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "RPMS", "*.rpm"))
	if err != nil {
		return Proof{}, err
	}
	now, err := Digests(paths)
	if err != nil {
		return Proof{}, err
	}
	return ProvenFor(dir, now)
}

// ProvenFor is Proven for packages other than those in RPMS. They are sorted by
// file name. If the packages in RPMS are signed, the proof is about what the build
// made.
func ProvenFor(dir string, packages []Package) (Proof, error) {
	unproven := func(format string, args ...any) (Proof, error) {
		return Proof{}, &UnprovenError{dir, fmt.Sprintf(format, args...)}
	}
	var p Proof
	switch data, err := os.ReadFile(filepath.Join(dir, ProofFile)); {
	case errors.Is(err, os.ErrNotExist):
		return unproven("it has no %s", ProofFile)
	case err != nil:
		return Proof{}, fmt.Errorf("reading the proof: %w", err)
	case json.Unmarshal(data, &p) != nil:
		return unproven("its %s is not a proof", ProofFile)
	}
	switch failed := slices.IndexFunc(p.Checks, func(c Check) bool { return !c.Passed }); {
	case failed >= 0:
		c := p.Checks[failed]
		return unproven(kernelFailed+": %s: want %s, got %s", c.Name, c.Want, c.Got)
	case !p.Passed || len(p.Checks) == 0:
		return unproven(kernelFailed)
	case len(packages) == 0 || !slices.Equal(packages, p.Packages):
		return unproven("its %s is about other packages than those in RPMS", ProofFile)
	}
	return p, nil
}
