// Package release makes releases of sets, verifies them, and transfers them.
//
// A release is a folder that is a yum repository of signed packages, with the records of
// the build, the proof that the kernel works, SBOMs, the provenance, a page for people,
// and a signed list of the digests of all files.
//
// [Make] makes a release of the output directory of a build, if the packages are as they
// were built, their kernel is proven, and they were built from a lock. [Verify] checks
// everything that a release or set says about itself. [Push] puts a release into a
// container registry, and [Pull] gets it from there and verifies it. [Sign], [SBOM] and
// [Provenance] do single steps of Make. Package repository makes any other folder of
// packages a repository.
package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/boot"
	"namibuild/builder/durable"
	"namibuild/builder/event"
	"namibuild/builder/set"
	"namibuild/builder/sign"
)

// Options say what is released, how, and with which key.
type Options struct {
	// Set is the output directory of a build.
	Set string
	// Output is the folder of the release. If it exists and is a release, it is
	// replaced.
	Output string
	Key    sign.Key
	// HeaderOnly and PayloadDigests are those of sign.Options.
	HeaderOnly, PayloadDigests bool
	// Unproven permits a set without a proof, and Unlocked one that was built without a
	// lock. The release says so.
	Unproven, Unlocked bool
	// BuilderID is the one of ProvenanceOptions.
	BuilderID string
	// URL is where hosts will find the release. If it is empty, that is
	// file:///srv/NAME.
	URL string
	// Tell receives the events. A nil Tell drops them.
	Tell event.Sink
}

// RecordForm is the form of a Record.
const RecordForm = 1

// Record is what a release says about itself in set.ReleaseFile.
type Record struct {
	Form   int    `json:"form"` // RecordForm
	Dir    string `json:"-"`
	Name   string `json:"name"` // of the recipe
	PlanID string `json:"planID"`
	// Key is the fingerprint of the key that signed everything.
	Key string `json:"key"`
	// Time is the modification time of all files of the release, in seconds since 1970.
	Time int64 `json:"time"`
	// Caveats say what a reader must know, sorted by What.
	Caveats []Caveat `json:"caveats"`
	// Set has the signed packages. Built are the same packages as they were built.
	artifact.Set
	Built []artifact.RPM `json:"built"`
}

// UnlockedError reports that a set was not built from a lock.
type UnlockedError struct{ Dir, Reason string }

func (e *UnlockedError) Error() string { return fmt.Sprintf("%s is not locked: %s", e.Dir, e.Reason) }

// Make makes a release of a set. The release depends only on the set, the key and the
// options, so that making it twice gives equal bytes. The folder appears when it is
// complete. After an error the earlier release is unchanged.
//
// Make reads each package three times: sign.Packages verifies it, compares it with the
// record of the build, signs it, and copies it, and at the end Verify reads the copy. A package that is not the one of the record is
// an *set.OtherPackagesError before anything of it is signed.
func Make(ctx context.Context, o Options) (Record, error) {
	out, err := durable.Create(o.Output, replaceable)
	if err != nil {
		return Record{}, err
	}
	defer out.Close()
	r := &making{Options: o, ctx: ctx, out: out, written: map[string]set.File{}}
	for _, step := range []struct {
		name event.Step
		what string
		do   func() (string, error)
	}{
		{event.Gate, "is " + o.Set + " as it was built, proven, locked?", r.gate},
		{event.Sign, "by " + o.Key.Name, r.sign},
		{event.Repository, "lists, key, .repo file", r.repository},
		{event.SBOM, "what the packages are made of", r.sbom},
		{event.Provenance, "how they were built", r.provenance},
		{event.Records, "records and page", r.records},
		{event.Digests, "of every file", r.digests},
	} {
		if err := r.step(step.name, step.what, step.do); err != nil {
			return Record{}, err
		}
	}
	if err := setTimes(out.Path(), time.Unix(r.record.Time, 0)); err != nil {
		return Record{}, &durable.Error{Path: o.Output, Err: err}
	}
	if err := r.verify(); err != nil {
		return Record{}, &event.StepError{Step: event.Verify, Err: err}
	}
	if err := out.Publish(); err != nil {
		return Record{}, err
	}
	r.record.Dir, r.record.Set.Dir = o.Output, filepath.Join(o.Output, set.RPMS)
	return r.record, nil
}

// replaceable reports an error unless a folder is a release.
func replaceable(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, set.ReleaseFile)); err != nil {
		return errors.New("the folder exists and is not a release")
	}
	return nil
}

// making is the state of one run of Make.
type making struct {
	Options
	ctx     context.Context
	out     *durable.Folder
	built   set.Set
	proof   *boot.Proof
	record  Record
	sources []artifact.RPM // the signed SRPM
	// written has the files of the release that were written so far, by path, with
	// their digests, so that no file is read again to be hashed.
	written map[string]set.File
}

// step does one step and reports it. do returns a text about its result.
func (r *making) step(s event.Step, what string, do func() (string, error)) error {
	r.Tell.Say(event.Begin, s, "%s", what)
	result, err := do()
	if err == nil {
		err = context.Cause(r.ctx)
	}
	if err != nil {
		return &event.StepError{Step: s, Err: err}
	}
	r.Tell.Say(event.End, s, "%s", result)
	return nil
}

// verify verifies the release before it is published, as anybody does who gets it.
func (r *making) verify() error {
	v, err := Verify(r.ctx, VerifyOptions{Dir: r.out.Path(), Certificate: &r.Key.Key})
	if err != nil {
		return err
	}
	for _, f := range v.Findings {
		if !f.Passed {
			return fmt.Errorf("verifying the new release: %s: %s", f.Name, f.Text)
		}
	}
	return nil
}

// write writes a file of the release.
func (r *making) write(name string, data []byte) error {
	r.written[name] = set.Of(name, data)
	return os.WriteFile(r.out.Path(name), data, 0o666)
}

// copy copies a file of the set into the release.
func (r *making) copy(f set.File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(r.out.Path(f.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	r.written[f.Name] = f
	return errors.Join(err, out.Close())
}

// has reports whether a file of the release was written.
func (r *making) has(name string) bool {
	_, ok := r.written[name]
	return ok
}
