// Package compare finds what differs between two builds, and why.
//
// [Paths] compares two folders of packages or two files, [Files] two files. The
// verdict is that they are identical, that all differences have known causes (a
// clock, a host name, a module key; each cause names the pin that prevents it),
// or that some difference is unexplained. The result is one value, a [Report];
// this package prints nothing.
//
// Packages are compared tag by tag, and their payloads field by field and file by
// file. The content of a file (compressed data, archives, ELF sections, a bzImage
// and the kernel in it) is opened as far as the difference goes. Signatures are
// left out, because signing changes neither header nor payload. A difference that
// must result from another one, as the digest of a file results from its content,
// is reported as one that follows. That is safe because every digest of both
// packages is verified first.
//
// Memory is bounded: files are read as streams, and a pair of differing files
// larger than a few megabytes goes through unnamed temporary files in $TMPDIR.
package compare

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Verdict is the outcome of a comparison.
type Verdict string

// The verdicts, from the best to the worst.
const (
	Identical   Verdict = "identical"
	Explained   Verdict = "explained"
	Unexplained Verdict = "unexplained"
)

// worse returns the worse of two verdicts.
func worse(a, b Verdict) Verdict {
	rank := map[Verdict]int{Identical: 0, Explained: 1, Unexplained: 2}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// Report is the result of comparing two builds.
type Report struct {
	A       string  `json:"a"`
	B       string  `json:"b"`
	Verdict Verdict `json:"verdict"`
	Pairs   []Pair  `json:"pairs"`
}

// Pair is the result of comparing two files.
type Pair struct {
	// Name is the file name, the one in A if they differ.
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	// A and B are the SHA-256 of the files, empty for a missing file.
	A string `json:"sha256A,omitempty"`
	B string `json:"sha256B,omitempty"`
	// LeftOut names the signature tags in which the two packages differ. The
	// findings do not count these.
	LeftOut  []string  `json:"beneathSignatures,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
}

// Paths compares two files, or all packages in two folders: those in the RPMS of
// a folder that has one, at any depth. Packages are paired by file name, the rest
// by package name and architecture. A package without a partner is a difference
// without an explanation. The error wraps ErrNoPackages if a folder holds none.
func Paths(a, b string) (Report, error) {
	report := Report{A: a, B: b, Verdict: Identical}
	pairs, err := pairsOf(a, b)
	if err != nil {
		return report, err
	}
	for _, p := range pairs {
		found, err := p.compare()
		if err != nil {
			return report, err
		}
		report.Pairs = append(report.Pairs, found)
		report.Verdict = worse(report.Verdict, found.Verdict)
	}
	return report, nil
}

// Files compares two files: as packages if both names end in .rpm, otherwise by
// their content. A package that is damaged is an error.
func Files(a, b string) (Pair, error) {
	return filePair{filepath.Base(a), a, b}.compare()
}

// compare opens and compares both files of a pair.
func (p filePair) compare() (Pair, error) {
	found := Pair{Name: p.name, Verdict: Unexplained}
	if p.a == "" || p.b == "" {
		l := &list{}
		l.unexplained(Place{Field: "file"}, present(p.a), present(p.b))
		found.Findings = l.findings()
		return found, nil
	}
	a, err := os.Open(p.a)
	if err != nil {
		return found, fmt.Errorf("comparing: %w", err)
	}
	defer a.Close()
	b, err := os.Open(p.b)
	if err != nil {
		return found, fmt.Errorf("comparing: %w", err)
	}
	defer b.Close()
	return pairOf(found, a, b)
}

// present describes one side of a pair of which the other is missing.
func present(path string) string {
	if path == "" {
		return missing
	}
	return filepath.Base(path)
}

func pairOf(found Pair, a, b *os.File) (Pair, error) {
	var err error
	if found.A, err = digest(a); err != nil {
		return found, err
	}
	if found.B, err = digest(b); err != nil {
		return found, err
	}
	if found.A == found.B {
		found.Verdict = Identical
		return found, nil
	}
	l := &list{}
	if strings.HasSuffix(a.Name(), ".rpm") && strings.HasSuffix(b.Name(), ".rpm") {
		found.LeftOut, err = packages(l, a, b)
	} else {
		err = plainFiles(l, a, b)
	}
	if err != nil {
		return found, fmt.Errorf("comparing %s: %w", found.Name, err)
	}
	found.Findings = l.findings()
	found.Verdict = l.verdict()
	return found, nil
}

// digest returns the SHA-256 of a file and moves back to its start.
func digest(f *os.File) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, f)
	_, serr := f.Seek(0, io.SeekStart)
	if err = cmp.Or(err, serr); err != nil {
		return "", fmt.Errorf("comparing: reading %s: %w", f.Name(), err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// plainFiles compares the contents of two files that are not packages.
func plainFiles(l *list, a, b *os.File) error {
	one, err := fileBlob(a)
	if err != nil {
		return err
	}
	two, err := fileBlob(b)
	if err != nil {
		return err
	}
	c := &comparer{found: l}
	return c.content(Place{File: filepath.Base(a.Name())}, one, two)
}
