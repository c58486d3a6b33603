package release

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"namibuild/builder/boot"
	"namibuild/builder/event"
	"namibuild/builder/repodata"
	"namibuild/builder/set"
)

// read returns the content of a file of the set. The error is os.ErrNotExist if there is
// none.
func (v *verifying) read(name string) ([]byte, error) {
	f, ok := v.files.Get(name)
	if !ok {
		return nil, &os.PathError{Op: "open", Path: v.place.Join(name), Err: syscall.ENOENT}
	}
	return f.Read()
}

// optional reports whether an error means that a file is missing which the set need not
// have. A release must have all of its files.
func (v *verifying) optional(err error) bool {
	return errors.Is(err, os.ErrNotExist) && !v.Complete
}

// build compares the packages, without their signatures, with the record of the build.
func (v *verifying) build() {
	var err error
	switch v.record, err = set.ReadRecord(v.place.Dir); {
	case err != nil:
		v.found("build", err, "")
	case v.record != nil:
		reason, broken := contradiction(*v.record, v.files)
		switch other := v.record.Differs(v.built, v.builtSources); {
		case other != "":
			err = &set.OtherPackagesError{Dir: v.place.Dir, File: other}
		case broken != nil:
			err = broken
		case reason != "":
			err = &ContradictionError{v.place.Dir, reason}
		}
		v.found("build", err, "as plan %.12s made them, byte for byte without the signatures", v.record.PlanID)
	}
}

// proof checks that the proof is about the packages as they were built.
func (v *verifying) proof() {
	if _, ok := v.files.Get(set.ProofFile); !ok {
		return
	}
	p, err := boot.Proven(v.place.Dir, v.files, v.built)
	if err == nil && v.record != nil {
		p, err = provenAs(*v.record, v.place.Dir, v.files, v.built)
	}
	v.found("proof", err, "the kernel of these packages was booted, %s passed", event.Count(len(p.Checks), "check"))
}

// lock checks that the lock is that of the build.
func (v *verifying) lock() {
	if v.record == nil {
		return // that is a finding of build already, or there is no record
	}
	if _, ok := v.files.Get(v.record.LockFile()); !ok {
		return
	}
	why, err := v.files.Unlocked(*v.record)
	if why != "" {
		err = errors.New(why)
	}
	v.found("lock", err, "pins plan %.12s", v.record.PlanID)
}

// release compares the record of the release with the key and the packages, and adds its
// caveats.
func (v *verifying) release() {
	data, err := v.read(set.ReleaseFile)
	if v.optional(err) {
		return
	}
	var r Record
	if err == nil {
		err = set.Decode(set.ReleaseFile, data, RecordForm, &r)
	}
	if err == nil {
		v.caveats = r.Caveats
		err = v.released(r)
	}
	v.found("release", err, "of %s, signed by the key that it names", r.Name)
	for _, c := range r.Caveats {
		v.Findings = append(v.Findings, Finding{Name: c.What, Passed: true, Caveat: true, Text: c.Why})
	}
}

// released reports what is wrong with the record of the release.
func (v *verifying) released(r Record) error {
	other := set.Differing(r.Built, v.built)
	switch {
	case r.Key != v.Key:
		return fmt.Errorf("it names the key %s", r.Key)
	case other != "":
		return fmt.Errorf("it is about another %s", other)
	}
	return nil
}

// repository checks repodata/ and its signature.
func (v *verifying) repository() {
	if _, err := os.Stat(v.place.Join(set.Repodata)); err != nil && !v.Complete {
		return
	}
	var check func(data, signature []byte) error
	if v.Certificate != nil {
		check = func(data, signature []byte) error {
			return v.Certificate.VerifyDetached(bytes.NewReader(data), signature)
		}
	}
	dir, err := filepath.EvalSymlinks(v.place.Dir) // repodata does not search a folder that is a link
	if err != nil {
		v.found("repository", err, "")
		return
	}
	repo, err := repodata.Verify(dir, check, v.verifiedPackage)
	signed := "index signed"
	switch {
	case !repo.Signed:
		signed = "index not signed"
	case check == nil:
		signed = "the signature of the index was not verified: no key"
	}
	v.found("repository", err, "%s listed, %s", event.Count(len(repo.Packages), "package"), signed)
}

// sbom checks that the SBOMs are about these packages.
func (v *verifying) sbom() {
	var wrong []error
	n := 0
	for _, name := range []string{set.SPDXFile, set.CycloneDXFile} {
		data, err := v.read(name)
		if v.optional(err) {
			continue
		}
		n++
		if err == nil {
			err = v.names(data)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
		}
	}
	if n > 0 {
		v.found("sbom", errors.Join(wrong...), "names these packages by their digests")
	}
}

// names reports an error unless an SBOM has the digest of every package.
func (v *verifying) names(sbom []byte) error {
	for _, r := range v.now {
		if !bytes.Contains(sbom, []byte(`"`+r.SHA256+`"`)) {
			return fmt.Errorf("it does not name %s as it is", r.File)
		}
	}
	return nil
}

// provenance checks that the provenance is signed, and is about these packages.
func (v *verifying) provenance() {
	envelope, err := v.read(set.ProvenanceFile)
	if v.optional(err) {
		return
	}
	if err == nil && v.Certificate == nil {
		err = fmt.Errorf("%s: there is no key to check it with", set.ProvenanceFile)
	}
	if err == nil {
		_, err = VerifyProvenance(v.ctx, envelope, *v.Certificate, v.now)
	}
	v.found("provenance", err, "states how these packages were built, signed")
}

// sums checks SHA256SUMS: its signature, every file that it lists, and that there are no
// other files.
func (v *verifying) sums() {
	page, err := v.read(set.SumsFile)
	if v.optional(err) {
		return
	}
	if err == nil {
		err = v.signedSums(page)
	}
	if err == nil {
		err = set.CompareSums(v.place.Dir, page, v.known)
	}
	v.found("files", err, "%s as %s says, signed", event.Count(bytes.Count(page, []byte("\n")), "file"), set.SumsFile)
}

// signedSums checks the signature of SHA256SUMS.
func (v *verifying) signedSums(page []byte) error {
	if v.Certificate == nil {
		return fmt.Errorf("%s: there is no key to check it with", set.SumsFile)
	}
	signature, err := v.read(set.SumsFile + set.SignatureEnd)
	if err != nil {
		return err
	}
	if err := v.Certificate.VerifyDetached(bytes.NewReader(page), signature); err != nil {
		return fmt.Errorf("%s: %w", set.SumsFile, err)
	}
	return nil
}
