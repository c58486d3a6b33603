package release

import (
	"cmp"
	"context"
	"fmt"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"namibuild/builder/event"
	"namibuild/builder/oci"
	"namibuild/builder/pgp"
	"namibuild/builder/set"
)

// PlanAnnotation is the annotation that holds the ID of the plan of a release in a
// registry.
const PlanAnnotation = "io.namibuild.plan"

// RegistryOptions say how to talk to a registry.
type RegistryOptions struct {
	// PlainHTTP uses HTTP instead of HTTPS.
	PlainHTTP bool
	// UserAgent is the name of the program for the registry. The default is namibuild.
	UserAgent string
	// Tell receives the events. A nil Tell drops them.
	Tell event.Sink
}

// PullOptions say how a release is pulled, and how it is checked before it appears.
type PullOptions struct {
	RegistryOptions
	// Certificate is the publisher's certificate. The pulled folder must be a complete
	// release that this key signed.
	Certificate *pgp.Key
	// AnyKey trusts the key that is in the release, if Certificate is nil. That shows
	// damage, but not who made the release.
	AnyKey bool
	// Unverified checks only the digests of the manifest. The folder need not be a
	// release, and can be incomplete and unsigned.
	Unverified bool
}

// NoKeyError reports that neither a key nor another option says how to check a release.
type NoKeyError struct{ Reference string }

func (e *NoKeyError) Error() string {
	return fmt.Sprintf("pulling %s: no key to verify it with", e.Reference)
}

// Trust says what a pulled release was verified with.
type Trust string

// These are the values of Trust.
const (
	TrustKey    Trust = "key"        // the publisher's key, which the caller named
	TrustAnyKey Trust = "any-key"    // the key in the release
	TrustNone   Trust = "unverified" // nothing but the digests of the manifest
)

// Pulled is a pulled release.
type Pulled struct {
	oci.Pulled
	// Trust says what the release was verified with, and Key is the fingerprint of the
	// key. Key is empty for TrustNone.
	Trust Trust  `json:"trust"`
	Key   string `json:"key,omitempty"`
	// Verification is the result of Verify, or nil if the release was not verified.
	Verification *Verification `json:"-"`
}

// Push puts a release, or the output directory of a build, into the registry that a
// reference names, with Docker's credentials. The manifest gets the name, the plan and
// the time in the record of the build.
func Push(ctx context.Context, dir, reference string, o RegistryOptions) (oci.Pushed, error) {
	pushed, err := push(ctx, dir, reference, o)
	if err != nil {
		return oci.Pushed{}, &event.StepError{Step: event.Push, Err: err}
	}
	o.Tell.Say(event.End, event.Push, "%s, %.1f MB the registry did not have", event.Count(len(pushed.Files), "file"), float64(pushed.Sent)/1e6)
	return pushed, nil
}

func push(ctx context.Context, dir, reference string, o RegistryOptions) (oci.Pushed, error) {
	options, err := o.options(event.Push)
	if err != nil {
		return oci.Pushed{}, err
	}
	record, err := set.ReadRecord(dir)
	if err != nil {
		return oci.Pushed{}, err
	}
	if record != nil {
		options.Created = time.Unix(record.Plan.SRPM.Epoch, 0)
		options.Annotations = map[string]string{ocispec.AnnotationTitle: record.Plan.Name, PlanAnnotation: record.PlanID}
	}
	o.Tell.Say(event.Begin, event.Push, "%s to %s", dir, reference)
	return oci.Push(ctx, dir, reference, options)
}

// Pull gets a release from a registry into the folder dir, which must not exist or must
// be empty. If the reference has a tag, Pull warns that a tag can change. dir appears
// when every digest is right and the release is verified as a complete one. If Verify
// finds something wrong, the error is an *UnverifiedError, and the result has the findings.
// The error is a *NoKeyError if the options neither have a certificate nor say to do
// without.
func Pull(ctx context.Context, reference, dir string, o PullOptions) (Pulled, error) {
	p := Pulled{Trust: o.trust()}
	if p.Trust == "" {
		return Pulled{}, &NoKeyError{reference}
	}
	options, err := o.options(event.Pull)
	if err != nil {
		return Pulled{}, &event.StepError{Step: event.Pull, Err: err}
	}
	options.Check = func(dir string) (err error) {
		o.Tell.Say(event.End, event.Pull, "every digest right")
		p.Verification, err = o.verify(ctx, reference, dir)
		if p.Verification != nil {
			p.Key = p.Verification.Key
		}
		return err
	}
	o.Tell.Say(event.Begin, event.Pull, "%s to %s", reference, dir)
	p.Pulled, err = oci.Pull(ctx, reference, dir, options)
	if err != nil {
		return p, &event.StepError{Step: event.Pull, Err: err}
	}
	if p.Tag != "" {
		o.Tell.Say(event.Warning, event.Pull, "the tag %s is %s now and may be another release tomorrow; only a digest never changes", p.Tag, p.Digest)
	}
	return p, nil
}

// trust returns what the options say to verify with. It is empty if they say nothing.
func (o PullOptions) trust() Trust {
	switch {
	case o.Unverified:
		return TrustNone
	case o.Certificate != nil:
		return TrustKey
	case o.AnyKey:
		return TrustAnyKey
	}
	return ""
}

// verify verifies the release that was pulled into dir.
func (o PullOptions) verify(ctx context.Context, reference, dir string) (*Verification, error) {
	if o.Unverified {
		return nil, nil
	}
	v, err := Verify(ctx, VerifyOptions{Dir: dir, Certificate: o.Certificate, Tell: o.Tell})
	if err != nil {
		return nil, err
	}
	v.Path = reference // dir is hidden until it is published
	return &v, v.Err(reference)
}

// options returns the options for package oci. step is the step whose progress is reported.
func (o RegistryOptions) options(step event.Step) (oci.Options, error) {
	credential, err := oci.DockerCredential()
	last := ""
	return oci.Options{PlainHTTP: o.PlainHTTP, UserAgent: cmp.Or(o.UserAgent, "namibuild"), Credential: credential,
		Tell: func(p oci.Progress) {
			if p.File != "" && p.File != last {
				o.Tell.Say(event.Note, step, "%s", p.File)
			}
			last = p.File
			o.Tell.Progress(step, p.Done, p.Total, event.Bytes)
		}}, err
}
