package buildroot

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

var (
	word   = regexp.MustCompile(`^[!-~]+$`)
	text   = regexp.MustCompile(`^[ -~\x{a0}-\x{10ffff}]+$`)
	sha256 = regexp.MustCompile(`^([0-9a-f]{64})?$`)
	sha1   = regexp.MustCompile(`^([0-9a-f]{40})?$`)
)

// check returns an error if the Root is not valid.
func (r Root) check() error {
	if !word.MatchString(r.Distribution) || !word.MatchString(r.Release) {
		return fmt.Errorf("checking the build root: distribution %q and release %q must be one word each", r.Distribution, r.Release)
	}
	if len(r.Packages) == 0 {
		return errors.New("checking the build root: it must have at least one package")
	}
	for i, p := range r.Packages {
		if err := p.check(); err != nil {
			return fmt.Errorf("checking the build root: package %.80q: %w", p.Name, err)
		}
		if i > 0 && r.Packages[i-1].compare(p) >= 0 {
			return fmt.Errorf("checking the build root: package %q is in it twice, or not sorted", p.Name)
		}
	}
	return nil
}

func (p Package) check() error {
	for _, s := range []string{p.Name, p.Version, p.Arch} {
		if !word.MatchString(s) {
			return fmt.Errorf("%.80q must be a name, version or architecture", s)
		}
	}
	for _, s := range append([]string{p.Source}, p.Licenses...) {
		if s != "" && !text.MatchString(s) {
			return fmt.Errorf("%.80q must be one line", s)
		}
	}
	switch {
	case p.Kind != Deb && p.Kind != RPM:
		return fmt.Errorf("kind is %.80q, must be %s or %s", p.Kind, Deb, RPM)
	case !sha256.MatchString(p.SHA256):
		return fmt.Errorf("sha256 is %.80q, must be 64 lower-case hexadecimal digits", p.SHA256)
	case !sha1.MatchString(p.HeaderSHA1):
		return fmt.Errorf("sha1 of the header is %.80q, must be 40 lower-case hexadecimal digits", p.HeaderSHA1)
	}
	return nil
}

// compare orders packages. Equal ones are the same package.
func (p Package) compare(q Package) int {
	return slices.Compare([]string{p.Name, p.Arch, p.Version, p.Kind}, []string{q.Name, q.Arch, q.Version, q.Kind})
}
