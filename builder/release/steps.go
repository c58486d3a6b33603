package release

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/boot"
	"namibuild/builder/event"
	"namibuild/builder/repodata"
	"namibuild/builder/set"
	"namibuild/builder/sign"
)

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
