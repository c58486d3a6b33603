package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"namibuild/builder/artifact"
	"namibuild/builder/rpm"
	"namibuild/builder/sign"
)

// SignOptions say what is signed, by whom, and where it goes.
type SignOptions struct {
	// Set is an output directory of Build, or a folder of packages.
	Set string
	// Output is the new folder that gets the signed packages.
	Output string
	Key    sign.Key
	// HeaderOnly and PayloadDigests are those of sign.Options.
	HeaderOnly, PayloadDigests bool
	// Tell takes the events; calls do not overlap.
	Tell func(Event)
}

// Sign makes a signed copy of a set. The set stays as it is; the new folder
// appears when every package in it is signed. The signatures bear the epoch of
// the set's plan or, where there is no record of one, the build time of the
// newest package.
func Sign(ctx context.Context, o SignOptions) (artifact.Set, error) {
	fail := func(err error) (artifact.Set, error) { return artifact.Set{}, &StepError{StepSign, err} }
	o.Tell(Event{Kind: Begin, Step: StepSign, Text: "by " + o.Key.Name})
	set, epoch, err := openUnsigned(o.Set)
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(filepath.Dir(o.Output), 0o777); err != nil {
		return fail(&OutputError{o.Output, err})
	}
	signed, err := o.signInto(ctx, set, epoch)
	if err != nil {
		return fail(err)
	}
	o.Tell(Event{Kind: End, Step: StepSign, Text: fmt.Sprintf("%s by %s", count(len(signed.RPMs), "package"), o.Key.Fingerprint)})
	return signed, nil
}

// signInto signs a set into the output folder, which appears when all of it is
// complete.
func (o SignOptions) signInto(ctx context.Context, set artifact.Set, epoch int64) (artifact.Set, error) {
	if _, err := os.Lstat(o.Output); err == nil {
		return artifact.Set{}, fmt.Errorf("signing: %s exists already", o.Output)
	}
	part := filepath.Join(filepath.Dir(o.Output), "."+filepath.Base(o.Output)+".part")
	if err := errors.Join(os.RemoveAll(part), os.Mkdir(part, 0o777)); err != nil {
		return artifact.Set{}, fmt.Errorf("signing: %w", err)
	}
	signed, err := sign.Packages(ctx, set, o.Key, part, sign.Options{
		Epoch: epoch, HeaderOnly: o.HeaderOnly, PayloadDigests: o.PayloadDigests,
		Tell: func(done, total int64) {
			o.Tell(Event{Kind: Progress, Step: StepSign, Done: done, Total: total, Unit: Bytes})
		},
	})
	if err == nil {
		err = os.Rename(part, o.Output)
	}
	if err != nil {
		return artifact.Set{}, errors.Join(err, os.RemoveAll(part))
	}
	signed.Dir = o.Output
	return signed, nil
}

// openUnsigned opens an output directory, whose packages have to be those of its
// record, or a folder of packages; epoch is the plan's or the newest package's.
func openUnsigned(dir string) (set artifact.Set, epoch int64, err error) {
	res, err := OpenResult(dir)
	if err == nil {
		return res.Set, res.Plan.SRPM.Epoch, nil
	}
	if !errors.Is(err, ErrNoRecord) {
		return set, 0, err
	}
	if set, err = artifact.Open(dir); err != nil {
		return set, 0, err
	}
	for _, r := range set.RPMs {
		at, err := buildTime(filepath.Join(dir, r.File))
		if err != nil {
			return set, 0, fmt.Errorf("reading %s: %w", r.File, err)
		}
		epoch = max(epoch, at)
	}
	return set, epoch, nil
}

func buildTime(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	p, err := rpm.ReadPackage(f)
	if err != nil {
		return 0, err
	}
	return p.BuildTime(), nil
}

// OtherPackagesError says that an output directory does not hold the packages
// that its record is about.
type OtherPackagesError struct {
	Dir  string
	File string // a package that is another, missing, or too many
}

func (e *OtherPackagesError) Error() string {
	return fmt.Sprintf("%s: %s is not as the build made it", e.Dir, e.File)
}

// OpenResult reads what a build left in its output directory. The packages are
// verified, and have to be those that the record names.
func OpenResult(dir string) (Result, error) {
	r, err := recordBeside(dir)
	if err == nil && r == nil {
		err = ErrNoRecord
	}
	if err != nil {
		return Result{}, fmt.Errorf("opening %s: %w", dir, err)
	}
	res := *r
	if res.Set, err = artifact.Open(r.Dir); err != nil {
		return res, err
	}
	if other := differing(r.RPMs, res.RPMs); other != "" {
		return res, &OtherPackagesError{dir, other}
	}
	return res, nil
}

// differing names a package that is not in both lists, by file and digest.
func differing(a, b []artifact.RPM) string {
	sums := map[string]string{}
	for _, r := range a {
		sums[r.File] = r.SHA256
	}
	for _, r := range b {
		if sums[r.File] != r.SHA256 {
			return r.File
		}
		delete(sums, r.File)
	}
	for file := range sums {
		return file
	}
	return ""
}
