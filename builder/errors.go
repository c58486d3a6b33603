package builder

import (
	"fmt"
	"slices"
	"strings"

	"namibuild/builder/buildlog"
	"namibuild/builder/event"
)

// UntrustedError reports that an SRPM is not the one that the recipe's digest or key
// names. Options.InsecureSource takes it all the same, if its own digests are right.
type UntrustedError struct{ Err error }

func (e *UntrustedError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with the SRPM.
func (e *UntrustedError) Unwrap() error { return e.Err }

// NoSourceFileError reports that the SRPM that a recipe names by source: file: does not
// exist.
type NoSourceFileError struct {
	File string
	Err  error
}

func (e *NoSourceFileError) Error() string { return "no such source file: " + e.File }

// Unwrap returns the error of opening the file.
func (e *NoSourceFileError) Unwrap() error { return e.Err }

// NotPackedError reports that the recipe packs its source in a container, that this was
// not done yet, and that there is no Engine to do it.
type NotPackedError struct{ Recipe string }

func (e *NotPackedError) Error() string {
	return "the source of " + e.Recipe + " is packed in a container and was not packed yet"
}

// ModuleKeyError reports that the module key of a recipe cannot be used.
type ModuleKeyError struct{ Err error }

func (e *ModuleKeyError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *ModuleKeyError) Unwrap() error { return e.Err }

// LockError reports that a build is not the one that its lock pins, or that a release
// has no lock.
type LockError struct {
	// Differences are sentences, one for each fact that differs. There is none if the
	// lock is missing.
	Differences []string
}

func (e *LockError) Error() string {
	if len(e.Differences) == 0 {
		return "a release is built from a lock, and there is none"
	}
	return fmt.Sprintf("the build is not the locked one, it differs in %s", event.Count(len(e.Differences), "thing"))
}

// NoLockError reports that a published set has no lock, or more than one.
type NoLockError struct {
	Dir   string
	Found []string // names of files
}

func (e *NoLockError) Error() string {
	if len(e.Found) == 0 {
		return "there is no lock in " + e.Dir
	}
	return fmt.Sprintf("%s has %d locks: %s", e.Dir, len(e.Found), strings.Join(e.Found, ", "))
}

// UnknownPackageError reports that a spec does not make the packages that the recipe
// wants. It ends a build before anything is compiled.
type UnknownPackageError struct {
	Unknown []string
	Known   []string // those of the spec
}

func (e *UnknownPackageError) Error() string {
	return fmt.Sprintf("the recipe wants %s; with these switches the spec makes %s", strings.Join(e.Unknown, ", "), strings.Join(e.Known, ", "))
}

// checkPackages compares the wanted names with those of the spec. Packages of debug
// information may appear during the build only.
func checkPackages(wanted, known []string) error {
	unknown := slices.DeleteFunc(slices.Clone(wanted), func(name string) bool {
		return slices.Contains(known, name) || strings.HasSuffix(name, "-debuginfo") || strings.HasSuffix(name, "-debugsource")
	})
	if len(unknown) == 0 {
		return nil
	}
	return &UnknownPackageError{unknown, known}
}

// RpmbuildError reports that rpmbuild ended with a status other than 0.
type RpmbuildError struct {
	Status int
	// OOMKilled reports that the container reached its memory limit.
	OOMKilled bool
	// Log is the path of the complete log on this host.
	Log string
	// Failure is the reason, as the log has it.
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
