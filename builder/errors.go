package builder

import (
	"fmt"
	"slices"
	"strings"

	"namibuild/builder/buildlog"
)

// UntrustedError says that an SRPM is not the one that the recipe vouches for.
// Options.InsecureSource takes it all the same, if it is whole.
type UntrustedError struct{ Err error }

func (e *UntrustedError) Error() string { return e.Err.Error() }
func (e *UntrustedError) Unwrap() error { return e.Err }

// UnknownPackageError says that a spec makes no package of a name that the
// recipe wants. It comes before anything is compiled.
type UnknownPackageError struct {
	Unknown []string
	Known   []string // those of the spec
}

func (e *UnknownPackageError) Error() string {
	return fmt.Sprintf("the recipe wants %s; with these switches the spec makes %s", strings.Join(e.Unknown, ", "), strings.Join(e.Known, ", "))
}

// checkPackages holds the wanted names against those of the spec. Packages of
// debug information may come into being during the build alone.
func checkPackages(wanted, known []string) error {
	unknown := slices.DeleteFunc(slices.Clone(wanted), func(name string) bool {
		return slices.Contains(known, name) || strings.HasSuffix(name, "-debuginfo") || strings.HasSuffix(name, "-debugsource")
	})
	if len(unknown) == 0 {
		return nil
	}
	return &UnknownPackageError{unknown, known}
}

// RpmbuildError says that rpmbuild ended with a status other than 0.
type RpmbuildError struct {
	Status int
	// OOMKilled: the container's memory limit ended it.
	OOMKilled bool
	// Log is the path of the whole log on the host.
	Log     string
	Failure buildlog.Failure
}

func (e *RpmbuildError) Error() string {
	f := e.Failure
	switch {
	case e.OOMKilled:
		return fmt.Sprintf("running rpmbuild: the container reached its memory limit in %s", phaseName(f.Phase))
	case f.DiskFull:
		return fmt.Sprintf("running rpmbuild: the disk of the container is full (in %s): %s", phaseName(f.Phase), f.First)
	case f.First == "":
		return fmt.Sprintf("running rpmbuild: exit status %d in %s", e.Status, phaseName(f.Phase))
	}
	return fmt.Sprintf("running rpmbuild: exit status %d in %s: %s", e.Status, phaseName(f.Phase), f.First)
}

func phaseName(p string) string {
	if p == "" {
		return "its beginning"
	}
	return p
}
