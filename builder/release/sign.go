package release

import (
	"context"
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

// SignOptions say what is signed, by whom, and where it goes.
type SignOptions struct {
	// Set is the output directory of a build, or a folder of packages.
	Set string
	// Output is the new folder that gets the signed packages.
	Output string
	Key    sign.Key
	// HeaderOnly and PayloadDigests are those of sign.Options.
	HeaderOnly, PayloadDigests bool
	// Tell takes the events; nil drops them.
	Tell event.Sink
}

// Sign makes signed copies of the packages of a set. The set stays as it is; the new folder
// appears when every package in it is signed. The signatures bear the epoch of the set's plan or,
// where there is no record of a plan, the build time of the newest package.
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
		return artifact.Set{}, err
	}
	if err := out.Publish(); err != nil {
		return artifact.Set{}, err
	}
	signed.Dir = o.Output
	return signed, nil
}

// unsigned gives the packages of a set as they are to be signed, and the epoch of
// their signatures. The packages must be those of the record, if there is one:
// sign.Packages compares their digests. They are not read here.
func unsigned(place set.Place) (artifact.Set, int64, error) {
	r, err := set.ReadRecord(place.Dir)
	if err != nil {
		return artifact.Set{}, 0, err
	}
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
	if r == nil {
		return s, newest, nil
	}
	if other := sameFiles(r.RPMs, s.RPMs); other != "" {
		return artifact.Set{}, 0, &set.OtherPackagesError{Dir: place.Dir, File: other}
	}
	s.RPMs = r.RPMs
	return s, r.Plan.SRPM.Epoch, nil
}

// readHead reads the header of a package: what it is, without a digest, and when it was built.
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

// sameFiles names a package that is not in both lists, by file name. It is empty where
// the lists have the same names.
func sameFiles(a, b []artifact.RPM) string {
	nameless := func(list []artifact.RPM) []artifact.RPM {
		var all []artifact.RPM
		for _, r := range list {
			all = append(all, artifact.RPM{File: r.File})
		}
		return all
	}
	return set.Differing(nameless(a), nameless(b))
}
