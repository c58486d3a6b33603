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

// ProvenanceOptions are what a provenance says beyond the record of the build.
type ProvenanceOptions struct {
	// BuilderID is a URI for who ran the build; empty is a namibuild on somebody's
	// machine.
	BuilderID string
	// Caveats are what a reader must not overlook; nil takes those that Caveats finds.
	Caveats map[string]string
}

// StateProvenance states how a set was built: an in-toto statement that nobody has
// signed yet.
func StateProvenance(s set.Set, o ProvenanceOptions) (provenance.Statement, error) {
	return state(s, artifact.Set{Dir: s.Packages, RPMs: s.RPMs}, o)
}

// state states how a set was built. The subjects are the published packages, which are those of the
// set or their signed copies.
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

// Provenance states how a set was built, and signs the statement. It gives the DSSE
// envelope.
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

// VerifyProvenance checks that the key of a certificate signed an envelope, and that the statement is
// about these packages and no others.
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
