// Package provenance states how the packages of a set were built: New makes an
// in-toto statement (version 1) about all of them with SLSA's predicate
// (provenance, version 1), Sign puts it into a signed DSSE envelope, and Verify
// takes it out again.
//
// The statement holds the complete plan. What the recipe asks for is in the
// external parameters; what namibuild decides (image, environment, arguments,
// limits, pins) is in the internal ones. The resolved dependencies are the SRPM,
// the patches and files of the recipe, the image and every package in it, by
// digest. What a reader must not overlook, such as an untrusted source or a kernel
// that was never booted, is in the internal parameters under caveats.
//
// The only real times are those of the run, in the metadata of runDetails.
// Everything else depends on the set alone. The payload is one line of JSON with
// sorted keys, so that the same facts give the same bytes; protojson does not
// promise that.
package provenance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	slsa "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"namibuild/builder/artifact"
	"namibuild/builder/buildroot"
	"namibuild/builder/plan"
)

// The types of the predicate, the payload, the build and the builder.
const (
	PredicateType = "https://slsa.dev/provenance/v1"
	PayloadType   = "application/vnd.in-toto+json"
	// BuildType names the meaning of the parameters: they are a plan, split as
	// this package does it.
	BuildType = "urn:namibuild:build:1"
	// LocalBuilder is a namibuild on any machine. Only the holder of the key
	// vouches for it.
	LocalBuilder = "urn:namibuild:builder:local"
)

// Input is what a statement is about.
type Input struct {
	Plan   plan.Plan
	PlanID string
	// Set holds the subjects. Built holds the packages before they were signed;
	// it may be the same.
	Set, Built artifact.Set
	Image      Image
	Root       buildroot.Root
	// Entropy tells where the build's randomness came from.
	Entropy string
	// Builder is a URI for who ran the build; empty means LocalBuilder. Version
	// is the version of namibuild.
	Builder, Version string
	// Started and Finished are the real times of the run. A zero time is left out.
	Started, Finished time.Time
	// Caveats holds what a reader must not overlook: sentences, by one word each.
	Caveats map[string]string
	// Byproducts holds other files of the set.
	Byproducts []File
}

// Image is the builder image that the engine ran.
type Image struct{ Ref, ID, Base string }

// File is a file with its SHA-256 in hexadecimal.
type File struct{ Name, SHA256 string }

// Statement is an in-toto statement. It does not change.
type Statement struct{ payload []byte }

// New makes a statement. It returns an error if in-toto's own library finds a
// fault in it.
func New(in Input) (Statement, error) {
	external, internal, err := in.parameters()
	if err != nil {
		return Statement{}, fmt.Errorf("stating how the set was built: %w", err)
	}
	payload, err := canonical(object{
		"_type": intoto.StatementTypeUri, "predicateType": PredicateType, "subject": subjects(in.Set),
		"predicate": object{
			"buildDefinition": object{
				"buildType": BuildType, "externalParameters": external, "internalParameters": internal,
				"resolvedDependencies": in.dependencies(),
			},
			"runDetails": in.run(),
		},
	})
	if err == nil {
		err = check(payload)
	}
	if err != nil {
		return Statement{}, fmt.Errorf("stating how the set was built: %w", err)
	}
	return Statement{payload}, nil
}

// JSON returns the payload, one line of JSON without a line break.
func (s Statement) JSON() []byte { return bytes.Clone(s.payload) }

// Subjects returns the packages that the statement is about.
func (s Statement) Subjects() ([]File, error) {
	var statement struct {
		Subject []struct {
			Name   string
			Digest map[string]string
		}
	}
	if err := json.Unmarshal(s.payload, &statement); err != nil {
		return nil, fmt.Errorf("reading the statement: %w", err)
	}
	var all []File
	for _, subject := range statement.Subject {
		all = append(all, File{subject.Name, subject.Digest["sha256"]})
	}
	return all, nil
}

type (
	object = map[string]any
	array  = []any
)

// canonical returns v as one line of JSON with sorted keys, without escapes for
// "<" and "&".
func canonical(v any) ([]byte, error) {
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(w.Bytes(), "\n"), nil
}

// check has in-toto's library read and validate a payload. The library knows every
// field of the statement and of the predicate, and refuses others. Our own checks
// would save 42 kB of the program, since BuildKit needs protobuf anyway.
func check(payload []byte) error {
	var s intoto.Statement
	if err := protojson.Unmarshal(payload, &s); err != nil {
		return err
	}
	if err := s.Validate(); err != nil {
		return err
	}
	if s.GetType() != intoto.StatementTypeUri || s.GetPredicateType() != PredicateType {
		return fmt.Errorf("its type is %s with a predicate of %s, want %s", s.GetType(), s.GetPredicateType(), PredicateType)
	}
	predicate, err := protojson.Marshal(s.GetPredicate())
	if err != nil {
		return err
	}
	var p slsa.Provenance
	if err := protojson.Unmarshal(predicate, &p); err != nil {
		return err
	}
	if err := p.Validate(); err != nil {
		return err
	}
	if p.GetBuildDefinition().GetBuildType() != BuildType {
		return errors.New("its build is of another type: " + p.GetBuildDefinition().GetBuildType())
	}
	return nil
}
