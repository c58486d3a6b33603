// Package compare tells what differs between two builds, and why.
//
// Two files, or two folders of packages, are identical, differ for reasons that
// are known (a clock, a host name, a module key: each with the pin that was
// missing), or differ for others. The result is one value, a Report; whoever
// wants it printed prints it.
//
// A package is looked at tag by tag, its payload field by field and file by
// file; what a file contains (compressed data, archives, ELF sections, a bzImage
// and the kernel in it) is opened as far as the difference goes. Signatures are
// left out: signing touches neither header nor payload. What follows from
// another difference, as the digest of a file follows from its content, is said
// to follow, and only where it must: every digest of both packages is
// verified first.
//
// Memory is bounded: files are read as streams, a pair of differing files larger
// than a few megabytes goes through nameless temporary files ($TMPDIR).
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

// worse is the worse of two verdicts.
func worse(a, b Verdict) Verdict {
	rank := map[Verdict]int{Identical: 0, Explained: 1, Unexplained: 2}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// Report is what was found about two sets.
type Report struct {
	A       string  `json:"a"`
	B       string  `json:"b"`
	Verdict Verdict `json:"verdict"`
	Pairs   []Pair  `json:"pairs"`
}

// Pair is what was found about two files.
type Pair struct {
	// Name is the file's, of A where B calls it otherwise.
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	// A and B are the files' SHA-256, empty for a file that is not there.
	A string `json:"sha256A,omitempty"`
	B string `json:"sha256B,omitempty"`
	// Beneath names the signature tags that were left out, when the files
	// differ and their headers and payloads were compared beneath them.
	Beneath  []string  `json:"beneathSignatures,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
}

// Paths compares two files, or the packages of two folders: those in a folder's
// RPMS, where it has one. Packages belong together by file name, or else by name
// and architecture.
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

// Files compares two files: packages as packages, anything else by what is in
// it.
func Files(a, b string) (Pair, error) {
	return filePair{filepath.Base(a), a, b}.compare()
}

// compare opens both files of a pair.
func (p filePair) compare() (Pair, error) {
	found := Pair{Name: p.name, Verdict: Unexplained}
	if p.a == "" || p.b == "" {
		l := &list{}
		l.unexplained(Place{Field: "whole file"}, present(p.a), present(p.b))
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

// present says of a file that the other side lacks that it is there.
func present(path string) string {
	if path == "" {
		return "not there"
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
		found.Beneath, err = packages(l, a, b)
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

// digest is a file's SHA-256; the file is then at its start again.
func digest(f *os.File) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, f)
	_, serr := f.Seek(0, io.SeekStart)
	if err = cmp.Or(err, serr); err != nil {
		return "", fmt.Errorf("comparing: reading %s: %w", f.Name(), err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// plainFiles compares what is in two files that are no packages.
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
