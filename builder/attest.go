package builder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"namibuild/builder/artifact"
	"namibuild/builder/boot"
	"namibuild/builder/pgp"
	"namibuild/builder/plan"
	"namibuild/builder/provenance"
	"namibuild/builder/sign"
)

// ProvenanceOptions are what a provenance says beyond the record.
type ProvenanceOptions struct {
	// BuilderID is a URI for who ran the build; empty is a namibuild on somebody's
	// machine.
	BuilderID string
	// Caveats are what a reader must not overlook; nil takes Record.Caveats.
	Caveats map[string]string
}

// Caveats are what a reader of a set must not overlook, a sentence by one word
// each: that it is insecure, unproven, unlocked, unpinned, varied or
// unreproducible.
func (r Record) Caveats() (map[string]string, error) {
	all := map[string]string{
		"insecure": r.Plan.Insecure,
		"varied":   strings.Join(r.Varied, "; "),
	}
	if !r.Plan.ModuleKey.Reproducible() {
		all["unreproducible"] = "the module key is made anew in every build"
	}
	var off []string
	for _, p := range r.Plan.Pins {
		if p.Off {
			off = append(off, p.Name)
		}
	}
	all["unpinned"] = strings.Join(off, ", ")
	none := (*boot.UnprovenError)(nil)
	if _, err := boot.Proven(r.Dir); errors.As(err, &none) {
		all[unproven] = none.Reason
	} else if err != nil {
		return nil, err
	}
	var err error
	if all[unlocked], err = r.unlocked(); err != nil {
		return nil, err
	}
	for word, why := range all {
		if why == "" {
			delete(all, word)
		}
	}
	return all, nil
}

// The caveats that keep a set from being released.
const (
	unproven = "unproven"
	unlocked = "unlocked"
)

// lockFile is the lock that a locked build leaves in its set.
func (r Record) lockFile() string { return r.Plan.Name + ".lock" }

// unlocked says why the set has no lock of its plan; nothing: it has.
func (r Record) unlocked() (string, error) {
	data, err := os.ReadFile(filepath.Join(r.Dir, r.lockFile()))
	if errors.Is(err, os.ErrNotExist) {
		return "it has no " + r.lockFile(), nil
	}
	if err != nil {
		return "", err
	}
	l, err := plan.ParseLock(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", r.lockFile(), err)
	}
	if id := l.Plan.ID(); id != r.PlanID {
		return fmt.Sprintf("its %s is about plan %.12s", r.lockFile(), id), nil
	}
	return "", nil
}

// StateProvenance is how the set was built, as an in-toto statement that nobody
// has signed yet.
func StateProvenance(r Record, o ProvenanceOptions) (provenance.Statement, error) {
	if o.Caveats == nil {
		var err error
		if o.Caveats, err = r.Caveats(); err != nil {
			return provenance.Statement{}, err
		}
	}
	byproducts, err := r.byproducts()
	if err != nil {
		return provenance.Statement{}, err
	}
	return provenance.New(provenance.Input{
		Plan: r.Plan, PlanID: r.PlanID, Set: r.Set, Built: r.Built, Root: r.Root, Entropy: r.Entropy,
		Image:   provenance.Image{Ref: r.Image.Ref, ID: r.Image.ID, Base: r.Image.Base},
		Builder: o.BuilderID, Version: r.Run.Namibuild, Started: r.Run.Started, Finished: r.Run.Finished,
		Caveats: o.Caveats, Byproducts: byproducts,
	})
}

// byproducts are the files of the set beside its packages that say something of
// the build.
func (r Record) byproducts() ([]provenance.File, error) {
	var all []provenance.File
	for _, name := range []string{RecordJSN, Log, BuildRoot, Changes, r.lockFile(), boot.ProofFile, boot.LogFile} {
		data, err := os.ReadFile(filepath.Join(r.Dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, provenance.File{Name: name, SHA256: fmt.Sprintf("%x", sha256.Sum256(data))})
	}
	return all, nil
}

// Provenance is how the set was built, signed: a DSSE envelope.
func Provenance(ctx context.Context, r Record, o ProvenanceOptions, k sign.Key) ([]byte, error) {
	s, err := StateProvenance(r, o)
	if err != nil {
		return nil, err
	}
	return s.Sign(ctx, provenance.Signer{ID: k.Fingerprint, Raw: k.Raw})
}

// VerifyProvenance checks that a key has signed an envelope, and that it is
// about the packages of this set and no others.
func VerifyProvenance(ctx context.Context, envelope []byte, c pgp.Key, set artifact.Set) (provenance.Statement, error) {
	s, err := provenance.Verify(ctx, envelope, provenance.Verifier{ID: c.Fingerprint, Raw: c.VerifyRaw})
	if err != nil {
		return s, err
	}
	got, err := s.Subjects()
	if err != nil {
		return s, err
	}
	var want []provenance.File
	for _, p := range set.RPMs {
		want = append(want, provenance.File{Name: p.File, SHA256: p.SHA256})
	}
	for _, f := range want {
		if !slices.Contains(got, f) {
			return s, fmt.Errorf("verifying the provenance: it is not about %s, sha256 %s", f.Name, f.SHA256)
		}
	}
	if len(got) != len(want) {
		return s, fmt.Errorf("verifying the provenance: it is about %s, want %s", count(len(got), "package"), count(len(want), "package"))
	}
	return s, nil
}
