package builder

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"namibuild/builder/artifact"
	"namibuild/builder/boot"
	"namibuild/builder/repodata"
)

// record holds the packages, without their signatures, against what the build
// wrote down.
func (v *verifying) record() {
	r, err := recordBeside(v.Dir)
	switch {
	case err != nil:
		v.found("build", err, "")
	case r != nil:
		var sources []artifact.RPM
		if r.SRPM != nil {
			sources = append(sources, *r.SRPM)
		}
		if other := cmp.Or(differing(r.RPMs, v.built), differing(sources, v.builtSources)); other != "" {
			err = &OtherPackagesError{v.Dir, other}
		}
		v.found("build", err, "what plan %.12s made, byte for byte beneath the signatures", r.PlanID)
	}
}

// proof holds the proof against the packages as the build made them.
func (v *verifying) proof() {
	if _, err := os.Stat(filepath.Join(v.Dir, boot.ProofFile)); err != nil {
		return
	}
	var packages []boot.Package
	for _, r := range v.built {
		packages = append(packages, boot.Package{File: r.File, SHA256: r.SHA256})
	}
	p, err := boot.ProvenFor(v.Dir, packages)
	v.found("proof", err, "the kernel of these packages was booted, %s passed", count(len(p.Checks), "check"))
}

// lock holds the lock against the build's record.
func (v *verifying) lock() {
	r, err := recordBeside(v.Dir)
	if err != nil || r == nil {
		return // a finding already, or no build
	}
	if _, err := os.Stat(filepath.Join(v.Dir, r.Plan.Name+".lock")); errors.Is(err, os.ErrNotExist) {
		return
	}
	why, err := Record{Result: *r, Dir: v.Dir}.unlocked()
	if why != "" {
		err = errors.New(why)
	}
	v.found("lock", err, "pins plan %.12s", r.PlanID)
}

// release holds the record of the release against key and packages, and tells
// its caveats.
func (v *verifying) release() {
	data, err := os.ReadFile(filepath.Join(v.Dir, ReleaseFile))
	if errors.Is(err, os.ErrNotExist) && !v.bundle() {
		return
	}
	var b Bundle
	if err == nil {
		err = json.Unmarshal(data, &b)
	}
	if err == nil {
		err = v.released(b)
	}
	v.found("release", err, "of %s, by the key that it names", b.Name)
	for _, c := range b.Caveats {
		v.Findings = append(v.Findings, Finding{Name: c.What, Passed: true, Caveat: true, Text: c.Why})
	}
}

func (v *verifying) released(b Bundle) error {
	other := differing(b.Built, v.built)
	switch {
	case b.Key != v.Key:
		return fmt.Errorf("it names the key %s", b.Key)
	case other != "":
		return fmt.Errorf("it is about another %s", other)
	}
	return nil
}

// repository checks repodata and its signature.
func (v *verifying) repository() {
	if _, err := os.Stat(filepath.Join(v.Dir, "repodata")); err != nil && !v.bundle() {
		return
	}
	var check func(data, signature []byte) error
	if v.Certificate != nil {
		check = func(data, signature []byte) error {
			return v.Certificate.VerifyDetached(bytes.NewReader(data), signature)
		}
	}
	repo, err := repodata.VerifyInspected(v.Dir, check, v.known)
	v.found("repository", err, "%s listed, index signed", count(len(repo.Packages), "package"))
}

// bill sees that the bills of materials are about these packages.
func (v *verifying) bill() {
	var wrong []error
	n := 0
	for _, name := range []string{SPDXFile, CycloneDXFile} {
		data, err := os.ReadFile(filepath.Join(v.Dir, name))
		if errors.Is(err, os.ErrNotExist) && !v.bundle() {
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

// names: a bill holds the digest of every package.
func (v *verifying) names(bill []byte) error {
	for _, r := range v.now {
		if !bytes.Contains(bill, []byte(`"`+r.SHA256+`"`)) {
			return fmt.Errorf("it does not name %s as it is", r.File)
		}
	}
	return nil
}

// provenance sees that the statement is signed and about these packages.
func (v *verifying) provenance() {
	envelope, err := os.ReadFile(filepath.Join(v.Dir, ProvenanceFile))
	if errors.Is(err, os.ErrNotExist) && !v.bundle() {
		return
	}
	if err == nil && v.Certificate == nil {
		err = fmt.Errorf("%s: no key to check it with", ProvenanceFile)
	}
	if err == nil {
		_, err = VerifyProvenance(v.ctx, envelope, *v.Certificate, artifact.Set{RPMs: v.now})
	}
	v.found("provenance", err, "states how these packages were built, signed")
}
