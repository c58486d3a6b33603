package buildroot

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// heading is the beginning of the list of an image.
const heading = "buildroot 1"

// Parse reads the list of an image. Its errors name the line.
func Parse(list []byte) (Root, error) {
	lines := bufio.NewScanner(bytes.NewReader(list))
	lines.Buffer(nil, MaxSize)
	if !lines.Scan() {
		return Root{}, errors.Join(errors.New("reading the list of the build root: the list is empty"), lines.Err())
	}
	r := Root{}
	first := strings.Split(lines.Text(), "\t")
	if len(first) != 3 || first[0] != heading {
		return Root{}, fmt.Errorf("reading the list of the build root: line 1 is %.40q, want %q, a distribution and its release", lines.Text(), heading)
	}
	r.Distribution, r.Release = first[1], first[2]
	for n := 2; lines.Scan(); n++ {
		p, err := parsePackage(strings.Split(strings.ToValidUTF8(lines.Text(), "\ufffd"), "\t"))
		if err != nil {
			return Root{}, fmt.Errorf("reading the list of the build root: line %d: %w", n, err)
		}
		r.Packages = append(r.Packages, p)
	}
	slices.SortFunc(r.Packages, Package.compare)
	return r, errors.Join(lines.Err(), r.check())
}

// parsePackage parses kind, name, version, architecture, source, SHA-256, SHA-1 of
// the header, and any number of licenses. "-" stands for what is not known.
func parsePackage(fields []string) (Package, error) {
	const fixed = 7
	if len(fields) < fixed {
		return Package{}, fmt.Errorf("%d fields, want at least %d", len(fields), fixed)
	}
	for i, f := range fields {
		if f == "-" {
			fields[i] = ""
		}
	}
	p := Package{Kind: fields[0], Name: fields[1], Version: fields[2], Arch: fields[3], Source: fields[4], SHA256: fields[5], HeaderSHA1: fields[6]}
	for _, license := range fields[fixed:] {
		if license != "" {
			p.Licenses = append(p.Licenses, license)
		}
	}
	return p, nil
}
