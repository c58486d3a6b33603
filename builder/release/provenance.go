package release

import (
	"context"
	"fmt"
	"slices"

	"namibuild/builder/artifact"
	"namibuild/builder/event"
	"namibuild/builder/pgp"
	"namibuild/builder/provenance"
	"namibuild/builder/set"
	"namibuild/builder/sign"
)

// ProvenanceOptions say what a provenance contains beside the record of the build.
type ProvenanceOptions struct {
	// BuilderID is a URI of who ran the build. If it is empty, that is a namibuild on
	// somebody's machine.
	BuilderID string
	// Caveats are the caveats of the set. If it is nil, the function Caveats finds
	// them.
	Caveats map[string]string
}

// StateProvenance returns an in-toto statement about how a set was built. It is not signed.
func StateProvenance(s set.Set, o ProvenanceOptions) (provenance.Statement, error) {
	return state(s, artifact.Set{Dir: s.Packages, RPMs: s.RPMs}, o)
}

// state returns a statement about how a set was built. Its subjects are the published
// packages: those of the set, or their signed copies.
func state(s set.Set, published artifact.Set, o ProvenanceOptions) (provenance.Statement, error) {
	if o.Caveats == nil {
		var err error
		if o.Caveats, err = Caveats(s); err != nil {
			return provenance.Statement{}, err
		}
	}
	root, err := s.Root()
	if err != nil {
		return provenance.Statement{}, err
	}
	r := s.Record
	in := provenance.Input{
		Plan: r.Plan, PlanID: r.PlanID, Set: published, Built: artifact.Set{Dir: s.Packages, RPMs: s.RPMs}, Root: root, Entropy: r.Entropy,
		Image:   provenance.Image{Ref: r.Image.Ref, ID: r.Image.ID, Base: r.Image.Base},
		Builder: o.BuilderID, Version: r.Run.Namibuild, Started: r.Run.Started, Finished: r.Run.Finished,
		Caveats: o.Caveats,
	}
	for _, f := range s.With(set.Byproduct) {
		in.Byproducts = append(in.Byproducts, provenance.File{Name: f.Name, SHA256: f.SHA256})
	}
	return provenance.New(in)
}

// Provenance returns a signed statement about how a set was built, in a DSSE envelope.
func Provenance(ctx context.Context, s set.Set, o ProvenanceOptions, k sign.Key) ([]byte, error) {
	statement, err := StateProvenance(s, o)
	if err != nil {
		return nil, err
	}
	return signStatement(ctx, statement, k)
}

func signStatement(ctx context.Context, s provenance.Statement, k sign.Key) ([]byte, error) {
	return s.Sign(ctx, provenance.Signer{ID: k.Fingerprint, Raw: k.Raw})
}

// VerifyProvenance checks that the key of a certificate signed an envelope, and that the
// statement in it is about these packages and no others.
func VerifyProvenance(ctx context.Context, envelope []byte, c pgp.Key, rpms []artifact.RPM) (provenance.Statement, error) {
	s, err := provenance.Verify(ctx, envelope, provenance.Verifier{ID: c.Fingerprint, Raw: c.VerifyRaw})
	if err != nil {
		return s, err
	}
	got, err := s.Subjects()
	if err != nil {
		return s, err
	}
	for _, r := range rpms {
		if !slices.Contains(got, provenance.File{Name: r.File, SHA256: r.SHA256}) {
			return s, fmt.Errorf("verifying the provenance: it is not about %s, sha256 %s", r.File, r.SHA256)
		}
	}
	if len(got) != len(rpms) {
		return s, fmt.Errorf("verifying the provenance: it is about %s, want %s", event.Count(len(got), "package"), event.Count(len(rpms), "package"))
	}
	return s, nil
}
