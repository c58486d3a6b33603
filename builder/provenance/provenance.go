// Package provenance says how the packages of a set came to be: an in-toto
// statement (version 1) about all of them with SLSA's predicate (provenance,
// version 1), signed in a DSSE envelope.
//
// The plan is in it whole: what a recipe asks for as external parameters, what
// namibuild makes of it (image, environment, arguments, limits, pins) as internal
// ones. Resolved dependencies are the SRPM, the recipe's patches and files, the
// image and every package in it, by digest. What a reader must not overlook, a
// source that nobody vouches for, a kernel that was never booted, stands in the
// internal parameters under caveats.
//
// The only real times are those of the run, in the metadata of runDetails. All
// else depends on the set alone. The payload is one line of JSON with the keys in
// order, so that the same facts are the same bytes: what protojson writes is not.
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

// The types of what is written here.
const (
	PredicateType = "https://slsa.dev/provenance/v1"
	PayloadType   = "application/vnd.in-toto+json"
	// BuildType names the meaning of the parameters: those of a plan, as this
	// package splits them.
	BuildType = "urn:namibuild:build:1"
	// LocalBuilder is a namibuild on somebody's machine: nobody but the holder
	// of the key vouches for it.
	LocalBuilder = "urn:namibuild:builder:local"
)

// Input is what a statement is about.
type Input struct {
	Plan   plan.Plan
	PlanID string
	// Set are the subjects; Built, if it is another, the packages before they
	// were signed.
	Set, Built artifact.Set
	Image      Image
	Root       buildroot.Root
	// Entropy is where the build's randomness came from.
	Entropy string
	// Builder is a URI for who ran the build; empty is LocalBuilder. Version is
	// that of namibuild.
	Builder, Version string
	// Started and Finished are real times; zero ones are left out.
	Started, Finished time.Time
	// Caveats are what a reader must not overlook: sentences by one word each.
	Caveats map[string]string
	// Byproducts are other files of the set.
	Byproducts []File
}

// Image is the builder image that the engine ran.
type Image struct{ Ref, ID, Base string }

// File is a file by its SHA-256.
type File struct{ Name, SHA256 string }

// Statement is an in-toto statement. It does not change.
type Statement struct{ payload []byte }

// New makes the statement. What in-toto's own library finds wrong is an error.
func New(in Input) (Statement, error) {
	external, internal, err := in.parameters()
	if err != nil {
		return Statement{}, fmt.Errorf("stating how the set was built: %w", err)
	}
	payload, err := canonical(object{
		"_type": intoto.StatementTypeUri, "predicateType": PredicateType, "subject": files(in.Set),
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

// JSON is the payload, one line.
func (s Statement) JSON() []byte { return bytes.Clone(s.payload) }

// Subjects are the packages that the statement is about.
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

// canonical is JSON on one line with sorted keys; "<" and "&" are themselves.
func canonical(v any) ([]byte, error) {
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(w.Bytes(), "\n"), nil
}

// check reads a payload as strictly as in-toto's library can, which knows every
// field of both layers, and has it validated there.
func check(payload []byte) error {
	var s intoto.Statement
	if err := protojson.Unmarshal(payload, &s); err != nil {
		return err
	}
	if err := s.Validate(); err != nil {
		return err
	}
	if s.GetType() != intoto.StatementTypeUri || s.GetPredicateType() != PredicateType {
		return fmt.Errorf("it is a %s about %s, want %s", s.GetType(), s.GetPredicateType(), PredicateType)
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
		return errors.New("it is about a build of another type: " + p.GetBuildDefinition().GetBuildType())
	}
	return nil
}
