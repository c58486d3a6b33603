package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"namibuild/builder/artifact"
	"namibuild/builder/durable"
	"namibuild/builder/event"
	"namibuild/builder/rpm"
	"namibuild/builder/set"
	"namibuild/builder/sign"
)

// SignOptions say what is signed, with which key, and where the result goes.
type SignOptions struct {
	// Set is the output directory of a build, or a folder of packages.
	Set string
	// Output is the new folder of the signed packages.
	Output string
	Key    sign.Key
	// HeaderOnly and PayloadDigests are those of sign.Options.
	HeaderOnly, PayloadDigests bool
	// Tell receives the events. A nil Tell drops them.
	Tell event.Sink
}

// Sign makes signed copies of the packages of a set. It does not change the set. The new
// folder appears when all packages in it are signed. The signatures have the epoch of the
// set's plan or, if there is no record, the build time of the newest package.
func Sign(ctx context.Context, o SignOptions) (artifact.Set, error) {
	o.Tell.Say(event.Begin, event.Sign, "by %s", o.Key.Name)
	signed, err := o.sign(ctx)
	if err != nil {
		return artifact.Set{}, &event.StepError{Step: event.Sign, Err: err}
	}
	o.Tell.Say(event.End, event.Sign, "%s by %s", event.Count(len(signed.RPMs), "package"), o.Key.Fingerprint)
	return signed, nil
}

func (o SignOptions) sign(ctx context.Context) (artifact.Set, error) {
	place, err := set.Find(o.Set)
	if err != nil {
		return artifact.Set{}, err
	}
	unsigned, epoch, err := unsigned(place)
	if err != nil {
		return artifact.Set{}, err
	}
	out, err := durable.Create(o.Output, nil)
	if err != nil {
		return artifact.Set{}, err
	}
	defer out.Close()
	signed, err := sign.Packages(ctx, unsigned, o.Key, out.Path(), sign.Options{
		Epoch: epoch, HeaderOnly: o.HeaderOnly, PayloadDigests: o.PayloadDigests, Tell: o.Tell.Bytes(event.Sign),
	})
	if err != nil {
		return artifact.Set{}, asBuilt(err, place.Dir)
	}
	if err := out.Publish(); err != nil {
		return artifact.Set{}, err
	}
	signed.Dir = o.Output
	return signed, nil
}

// unsigned returns the packages of a set, and the epoch of their signatures. If there is
// a record, the packages must be those of the record: unsigned compares their names and
// sizes, and sign.Packages compares their digests.
func unsigned(place set.Place) (artifact.Set, int64, error) {
	r, err := set.ReadRecord(place.Dir)
	if err != nil {
		return artifact.Set{}, 0, err
	}
	if r == nil {
		return unrecorded(place)
	}
	other, err := set.DiffersInSize(place.Packages, place.RPMNames, r.RPMs)
	if err != nil {
		return artifact.Set{}, 0, fmt.Errorf("reading %s: %w", place.Dir, err)
	}
	if other != "" {
		return artifact.Set{}, 0, &set.OtherPackagesError{Dir: place.Dir, File: other}
	}
	return artifact.Set{Dir: place.Packages, RPMs: r.RPMs}, r.Plan.SRPM.Epoch, nil
}

// unrecorded returns the packages of a set without a record, and the build time of the
// newest. It reads only their headers.
func unrecorded(place set.Place) (artifact.Set, int64, error) {
	s := artifact.Set{Dir: place.Packages}
	var newest int64
	for _, name := range place.RPMNames {
		one, built, err := readHead(filepath.Join(place.Packages, name))
		if err != nil {
			return artifact.Set{}, 0, fmt.Errorf("reading %s: %w", name, err)
		}
		newest = max(newest, built)
		s.RPMs = append(s.RPMs, one)
	}
	return s, newest, nil
}

// asBuilt returns an error of sign.Packages. If a package of the folder dir is not the
// one of the record, that is a *set.OtherPackagesError.
func asBuilt(err error, dir string) error {
	if changed := (*sign.ChangedError)(nil); errors.As(err, &changed) {
		return fmt.Errorf("%w (%w)", &set.OtherPackagesError{Dir: dir, File: changed.File}, changed)
	}
	return err
}

// readHead reads the header of a package, and returns the package without a digest and
// the time when it was built.
func readHead(path string) (one artifact.RPM, built int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return one, 0, err
	}
	defer f.Close()
	p, err := rpm.ReadPackage(f)
	if err != nil {
		return one, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return one, 0, err
	}
	return artifact.RPM{File: filepath.Base(path), NEVRA: p.NEVRA(), Size: info.Size()}, p.BuildTime(), nil
}
