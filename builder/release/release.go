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
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/boot"
	"namibuild/builder/durable"
	"namibuild/builder/event"
	"namibuild/builder/repodata"
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

// gate reports an error unless the set is as it was built, its records agree, and it is
// proven and locked, or the options permit what is missing. It does not read the packages, because sign.Packages
// compares each one with the record before it signs it.
func (r *making) gate() (string, error) {
	var err error
	if r.built, err = set.OpenRecorded(r.Set); err != nil {
		return "", err
	}
	record := r.built.Record
	r.record = Record{Form: RecordForm, Name: record.Plan.Name, PlanID: record.PlanID, Key: r.Key.Fingerprint, Caveats: []Caveat{}, Built: r.built.RPMs,
		Time: r.Key.Time(record.Plan.SRPM.Epoch).Unix()}
	reason, err := contradiction(*record, r.built.Files)
	if err != nil {
		return "", err
	}
	if reason != "" {
		return "", &ContradictionError{r.built.Dir, reason}
	}
	if err := r.caveats(); err != nil {
		return "", err
	}
	if proof, err := provenAs(*record, r.built.Dir, r.built.Files, r.built.RPMs); err == nil {
		r.proof = &proof
	}
	if slices.ContainsFunc(r.record.Caveats, func(c Caveat) bool { return c.What == unproven || c.What == unlocked }) {
		return "let through, with " + event.Count(len(r.record.Caveats), "caveat"), nil
	}
	return "as built, proven, locked", nil
}

// caveats collects the caveats of the set. It reports an error for the two caveats that
// need the permission of the options.
func (r *making) caveats() error {
	all, err := Caveats(r.built)
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
		r.record.Caveats = append(r.record.Caveats, Caveat{what, all[what]})
		r.Tell.Say(event.Warning, event.Gate, "%s: %s", what, all[what])
	}
	return nil
}

// sign signs the packages into the release, and the patched SRPM if there is one.
func (r *making) sign() (string, error) {
	var err error
	if r.record.Set, err = r.signed(set.RPMS, r.built.Packages, r.built.RPMs); err != nil {
		return "", err
	}
	n := len(r.record.RPMs)
	if len(r.built.SRPMs) > 0 {
		sources, err := r.signed(set.SRPMS, r.built.Join(set.SRPMS), r.built.SRPMs)
		if err != nil {
			return "", err
		}
		r.sources = sources.RPMs
		n += len(sources.RPMs)
	}
	return fmt.Sprintf("%s by %s", event.Count(n, "package"), r.Key.Name), nil
}

// signed signs packages into a new folder of the release.
func (r *making) signed(name, from string, rpms []artifact.RPM) (artifact.Set, error) {
	if err := os.Mkdir(r.out.Path(name), 0o777); err != nil {
		return artifact.Set{}, err
	}
	made, err := sign.Packages(r.ctx, artifact.Set{Dir: from, RPMs: rpms}, r.Key, r.out.Path(name), sign.Options{
		Epoch: r.built.Record.Plan.SRPM.Epoch, HeaderOnly: r.HeaderOnly, PayloadDigests: r.PayloadDigests, Tell: r.Tell.Bytes(event.Sign),
	})
	for _, one := range made.RPMs {
		path := name + "/" + one.File
		r.written[path] = set.File{Name: path, Size: one.Size, SHA256: one.SHA256}
	}
	return made, asBuilt(err, r.built.Dir)
}

// keyFile returns the name of the public key in the release.
func (r *making) keyFile() string { return set.KeyPrefix + r.record.Name }

// repository writes the public key, the lists and the .repo file.
func (r *making) repository() (string, error) {
	public, err := r.Key.Public()
	if err != nil {
		return "", err
	}
	if err := r.write(r.keyFile(), public); err != nil {
		return "", err
	}
	repo, files, err := repodata.Make(r.out.Path(), repodata.Options{Epoch: r.built.Record.Plan.SRPM.Epoch, Sign: r.detached, Known: r.known})
	if err == nil {
		err = os.Mkdir(r.out.Path(set.Repodata), 0o777)
	}
	for _, f := range files {
		err = errors.Join(err, r.write(f.Path, f.Data))
	}
	if err != nil {
		return "", err
	}
	page, err := repodata.Source{ID: r.record.Name, Name: r.record.Name + " kernels", BaseURL: r.url(), Key: r.keyFile()}.File()
	if err != nil {
		return "", err
	}
	if r.URL == "" {
		r.Tell.Say(event.Warning, event.Repository, "without --url the .repo file and the page send hosts to %s, a folder on each host", r.url())
	}
	return fmt.Sprintf("%s, signed, for %s", event.Count(len(repo.Packages), "package"), r.url()), r.write(r.record.Name+".repo", []byte(page))
}

// known returns size and digest of a file that was written.
func (r *making) known(path string) (size int64, sha256 string, ok bool) {
	f, ok := r.written[path]
	return f.Size, f.SHA256, ok
}

// detached signs a file of the release.
func (r *making) detached(data []byte) ([]byte, error) {
	return r.Key.Detached(r.ctx, bytes.NewReader(data), time.Unix(r.record.Time, 0).UTC())
}

// sbom writes the SBOM in both formats.
func (r *making) sbom() (string, error) {
	spdx, cyclonedx, err := sbomOf(r.built, r.record.Set)
	if err != nil {
		return "", err
	}
	return "as SPDX and CycloneDX", errors.Join(r.write(set.SPDXFile, spdx), r.write(set.CycloneDXFile, cyclonedx))
}

// provenance states how the packages were built, and signs the statement.
func (r *making) provenance() (string, error) {
	o := ProvenanceOptions{BuilderID: r.BuilderID, Caveats: map[string]string{}}
	for _, c := range r.record.Caveats {
		o.Caveats[c.What] = c.Why
	}
	s, err := state(r.built, r.record.Set, o)
	if err != nil {
		return "", err
	}
	envelope, err := signStatement(r.ctx, s, r.Key)
	if err != nil {
		return "", err
	}
	return "SLSA provenance, signed", r.write(set.ProvenanceFile, envelope)
}

// records copies the published files of the set, and writes the record of the release and
// the page.
func (r *making) records() (string, error) {
	n := 0
	for _, f := range publishedFiles(r.built, r.proof != nil) {
		if err := r.copy(f); err != nil {
			return "", err
		}
		n++
	}
	record, err := json.MarshalIndent(r.record, "", "  ")
	if err != nil {
		return "", err
	}
	if err := r.write(set.ReleaseFile, append(record, '\n')); err != nil {
		return "", err
	}
	page, err := r.page()
	if err != nil {
		return "", err
	}
	return event.Count(n, "record") + " of the build and the page", r.write(set.PageFile, page)
}

// publishedFiles returns the files of a set that the release gets. Of several locks that
// is the lock of the set's plan. The proof is one of them only if it counts.
func publishedFiles(s set.Set, proven bool) []set.File {
	return slices.DeleteFunc(s.With(set.Published), func(f set.File) bool {
		return !proven && (f.Name == set.ProofFile || f.Name == set.ProofLogFile)
	})
}

// digests writes the digests of all files, and signs them.
func (r *making) digests() (string, error) {
	page, err := set.Sums(r.out.Path(), r.known)
	if err != nil {
		return "", err
	}
	signature, err := r.detached(page)
	if err != nil {
		return "", err
	}
	return event.Count(bytes.Count(page, []byte("\n")), "file"), errors.Join(r.write(set.SumsFile, page), r.write(set.SumsFile+set.SignatureEnd, signature))
}

// setTimes sets the usual modes and one modification time of dir and of all files and
// folders below it. Folders get their time after what is in them.
func setTimes(dir string, at time.Time) error {
	var folders []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			folders = append(folders, path)
			return os.Chmod(path, 0o755)
		}
		return errors.Join(os.Chmod(path, 0o644), os.Chtimes(path, at, at))
	})
	for i := len(folders) - 1; i >= 0 && err == nil; i-- {
		err = os.Chtimes(folders[i], at, at)
	}
	return err
}
