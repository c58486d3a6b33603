package builder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/boot"
	"namibuild/builder/repodata"
	"namibuild/builder/sign"
)

// ReleaseOptions say what is published, how, and by whom.
type ReleaseOptions struct {
	// Set is an output directory of Build.
	Set string
	// Output is the directory of the bundle. A bundle that is there is replaced.
	Output string
	Key    sign.Key
	// HeaderOnly and PayloadDigests are those of sign.Options.
	HeaderOnly, PayloadDigests bool
	// Unproven publishes a set without a proof, Unlocked one that was built
	// without a lock. The bundle says so.
	Unproven, Unlocked bool
	// BuilderID is that of ProvenanceOptions.
	BuilderID string
	// URL is where hosts will find the bundle; empty is file:///srv/NAME.
	URL string
	// Tell takes the events; calls do not overlap.
	Tell func(Event)
}

// Bundle is a release: what there is to know of it. It is its record.
type Bundle struct {
	Dir    string `json:"-"`
	Name   string `json:"name"` // the recipe's
	PlanID string `json:"planID"`
	// Key is the fingerprint of the key that signed everything.
	Key string `json:"key"`
	// Time is what all times in the bundle are, in seconds.
	Time int64 `json:"time"`
	// Caveats are what a reader must not overlook, by their words.
	Caveats []Caveat `json:"caveats"`
	// Packages are the signed packages, Built the same as the build made them.
	artifact.Set
	Built []artifact.RPM `json:"built"`
}

// Caveat is one of Record.Caveats.
type Caveat struct {
	What string `json:"what"` // unproven, unlocked, insecure, …
	Why  string `json:"why"`
}

// ReleaseFile is a Bundle's record.
const ReleaseFile = "release.json"

// UnlockedError says that a set was not built from a lock.
type UnlockedError struct{ Dir, Reason string }

func (e *UnlockedError) Error() string { return fmt.Sprintf("%s is not locked: %s", e.Dir, e.Reason) }

// Release makes a bundle of a set: one directory that is a yum repository of
// signed packages, with everything that says what they are, what they were made
// of and that they work. It depends on the set, the key and the options alone. The
// directory appears when it is complete; on an error what was there stays.
func Release(ctx context.Context, o ReleaseOptions) (Bundle, error) {
	out, err := openBundle(o.Output)
	if err != nil {
		return Bundle{}, err
	}
	defer out.close()
	r := &release{ReleaseOptions: o, ctx: ctx, out: out}
	for _, step := range []struct {
		name Step
		what string
		do   func() (string, error)
	}{
		{StepGate, "is " + o.Set + " whole, proven, locked?", r.gate},
		{StepSign, "by " + o.Key.Name, r.sign},
		{StepRepository, "lists, key, .repo file", r.repository},
		{StepBill, "what it is made of", r.bill},
		{StepProvenance, "how it was built", r.provenance},
		{StepPapers, "records and page", r.papers},
		{StepSums, "of every file", r.sums},
	} {
		if err := r.step(step.name, step.what, step.do); err != nil {
			return Bundle{}, err
		}
	}
	if err := out.publish(r.bundle.Time); err != nil {
		return Bundle{}, err
	}
	r.bundle.Dir, r.bundle.Set.Dir = o.Output, filepath.Join(o.Output, RPMS)
	return r.bundle, nil
}

// release is one run of Release.
type release struct {
	ReleaseOptions
	ctx    context.Context
	out    *bundleDir
	built  Record
	proof  *boot.Proof
	bundle Bundle
}

// step does one step and tells of it; what do says is what came of it.
func (r *release) step(s Step, what string, do func() (string, error)) error {
	r.Tell(Event{Kind: Begin, Step: s, Text: what})
	said, err := do()
	if err == nil {
		err = context.Cause(r.ctx)
	}
	if err != nil {
		return &StepError{s, err}
	}
	r.Tell(Event{Kind: End, Step: s, Text: said})
	return nil
}

// gate lets nothing through that is not whole, proven and locked.
func (r *release) gate() (string, error) {
	whole, err := OpenResult(r.Set)
	if err != nil {
		return "", err
	}
	if r.built, err = ReadRecord(r.Set); err != nil {
		return "", err
	}
	r.built.Result = whole
	r.bundle = Bundle{Name: r.built.Plan.Name, PlanID: r.built.PlanID, Key: r.Key.Fingerprint, Caveats: []Caveat{}, Built: r.built.RPMs,
		Time: r.Key.Time(r.built.Plan.SRPM.Epoch).Unix()}
	if err := r.caveats(); err != nil {
		return "", err
	}
	if proof, err := boot.Proven(r.built.Dir); err == nil {
		r.proof = &proof
	}
	if slices.ContainsFunc(r.bundle.Caveats, func(c Caveat) bool { return c.What == unproven || c.What == unlocked }) {
		return "let through, with " + count(len(r.bundle.Caveats), "caveat"), nil
	}
	return "whole, proven, locked", nil
}

// caveats finds what there is to be said against the set; two of them are let
// through on demand only.
func (r *release) caveats() error {
	all, err := r.built.Caveats()
	if err != nil {
		return err
	}
	if why, is := all[unproven]; is && !r.Unproven {
		return &boot.UnprovenError{Dir: r.built.Dir, Reason: why}
	}
	if why, is := all[unlocked]; is && !r.Unlocked {
		return &UnlockedError{r.built.Dir, why}
	}
	for _, what := range slices.Sorted(maps.Keys(all)) {
		r.bundle.Caveats = append(r.bundle.Caveats, Caveat{what, all[what]})
		r.Tell(Event{Kind: Warning, Step: StepGate, Text: what + ": " + all[what]})
	}
	return nil
}

// sign signs the packages into the bundle, and the patched SRPM if there is one.
func (r *release) sign() (string, error) {
	signed, err := r.signed(r.built.Result.Set, RPMS)
	if err != nil {
		return "", err
	}
	r.bundle.Set = signed
	n := len(signed.RPMs)
	if r.built.SRPM != nil {
		set, err := artifact.Open(filepath.Join(r.built.Dir, SRPMS))
		if err != nil {
			return "", err
		}
		if other := differing([]artifact.RPM{*r.built.SRPM}, set.RPMs); other != "" {
			return "", &OtherPackagesError{r.built.Dir, other}
		}
		if _, err := r.signed(set, SRPMS); err != nil {
			return "", err
		}
		n++
	}
	return fmt.Sprintf("%s by %s", count(n, "package"), r.Key.Name), nil
}

// signed signs a set into a folder of the bundle.
func (r *release) signed(set artifact.Set, name string) (artifact.Set, error) {
	if err := os.Mkdir(r.out.path(name), 0o777); err != nil {
		return artifact.Set{}, err
	}
	return sign.Packages(r.ctx, set, r.Key, r.out.path(name), sign.Options{
		Epoch: r.built.Plan.SRPM.Epoch, HeaderOnly: r.HeaderOnly, PayloadDigests: r.PayloadDigests,
		Tell: func(done, total int64) {
			r.Tell(Event{Kind: Progress, Step: StepSign, Done: done, Total: total, Unit: Bytes})
		},
	})
}

// keyFile is the name of the public key in the bundle.
func (r *release) keyFile() string { return keyPrefix + r.bundle.Name }

// repository writes the public key, the lists and the .repo file.
func (r *release) repository() (string, error) {
	public, err := r.Key.Public()
	if err != nil {
		return "", err
	}
	if err := r.out.write(r.keyFile(), public); err != nil {
		return "", err
	}
	repo, err := repodata.Write(r.out.dir, repodata.Options{Epoch: r.built.Plan.SRPM.Epoch, Sign: r.detached})
	if err != nil {
		return "", err
	}
	page, err := repodata.Source{ID: r.bundle.Name, Name: r.bundle.Name + " kernels", BaseURL: r.url(), Key: r.keyFile()}.File()
	if err != nil {
		return "", err
	}
	if r.URL == "" {
		r.Tell(Event{Kind: Warning, Step: StepRepository, Text: fmt.Sprintf("without --url the .repo file and the page send hosts to %s, a folder of their own", r.url())})
	}
	return fmt.Sprintf("%s, signed, for %s", count(len(repo.Packages), "package"), r.url()), r.out.write(r.bundle.Name+".repo", []byte(page))
}

func (r *release) detached(data []byte) ([]byte, error) {
	return r.Key.Detached(r.ctx, bytes.NewReader(data), time.Unix(r.bundle.Time, 0).UTC())
}

// signedRecord is the set's record with the packages as they are published.
func (r *release) signedRecord() Record {
	record := r.built
	record.Set = r.bundle.Set
	return record
}

// bill writes the bill of materials.
func (r *release) bill() (string, error) {
	spdx, cyclonedx, err := SBOM(r.signedRecord())
	if err != nil {
		return "", err
	}
	return "as SPDX and CycloneDX", errors.Join(r.out.write(SPDXFile, spdx), r.out.write(CycloneDXFile, cyclonedx))
}

// provenance states how the packages were built, and signs it.
func (r *release) provenance() (string, error) {
	o := ProvenanceOptions{BuilderID: r.BuilderID, Caveats: map[string]string{}}
	for _, c := range r.bundle.Caveats {
		o.Caveats[c.What] = c.Why
	}
	envelope, err := Provenance(r.ctx, r.signedRecord(), o, r.Key)
	if err != nil {
		return "", err
	}
	return "SLSA provenance, signed", r.out.write(ProvenanceFile, envelope)
}

// papers copies what the set has beside its packages, and writes the record and
// the page.
func (r *release) papers() (string, error) {
	names := []string{RecordJSN, Log, BuildRoot, Changes, ModuleSignatures, r.built.lockFile(), "bench.json", "bench.csv", chartFile, "bench.png"}
	if r.proof != nil {
		names = append(names, boot.ProofFile, boot.LogFile)
	}
	n := 0
	for _, name := range names {
		switch err := r.out.copy(filepath.Join(r.built.Dir, name), name); {
		case err == nil:
			n++
		case !errors.Is(err, os.ErrNotExist):
			return "", err
		}
	}
	record, err := json.MarshalIndent(r.bundle, "", "  ")
	if err != nil {
		return "", err
	}
	if err := r.out.write(ReleaseFile, append(record, '\n')); err != nil {
		return "", err
	}
	page, err := r.page()
	if err != nil {
		return "", err
	}
	return count(n, "record") + " of the build and the page", r.out.write(pageFile, page)
}

// sums writes the digests of all files, and signs them.
func (r *release) sums() (string, error) {
	page, err := sumFiles(r.out.dir, nil)
	if err != nil {
		return "", err
	}
	signature, err := r.detached(page)
	if err != nil {
		return "", err
	}
	return count(bytes.Count(page, []byte("\n")), "file"), errors.Join(r.out.write(Sums, page), r.out.write(Sums+".asc", signature))
}
