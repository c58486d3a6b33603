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

// PlanAnnotation is the annotation of a release in a registry that bears the ID
// of its plan.
const PlanAnnotation = "io.namibuild.plan"

// RegistryOptions say how a registry is talked to.
type RegistryOptions struct {
	// PlainHTTP talks HTTP instead of HTTPS.
	PlainHTTP bool
	// UserAgent is what the registry is told of us.
	UserAgent string
	// Tell takes the events; nil drops them.
	Tell event.Sink
}

// PullOptions say how a release is pulled, and how it is checked before it gets its name.
type PullOptions struct {
	RegistryOptions
	// Certificate is the publisher's; nil takes the one in the release. Without any, the
	// digests alone are checked, with a warning.
	Certificate *pgp.Key
	// Unverified checks the digests alone. It is for what is compared with another set.
	Unverified bool
}

// Pulled is a release that was pulled.
type Pulled struct {
	oci.Pulled
	// Verification is what Verify found; nil where the release was not verified.
	Verification *Verification `json:"-"`
}

// Push puts a release, or the output directory of a build, into the registry
// that a reference names, with Docker's credentials. What the record of the build says
// of time, name and plan stands in the manifest.
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

// Pull brings a release from a registry into dir, which must not exist or be
// empty. A tag is resolved, with a warning that it pins nothing. dir appears when every digest is
// right and the release is verified; what Verify finds wrong is an *UnverifiedError, beside the
// findings.
func Pull(ctx context.Context, reference, dir string, o PullOptions) (Pulled, error) {
	options, err := o.options(event.Pull)
	if err != nil {
		return Pulled{}, &event.StepError{Step: event.Pull, Err: err}
	}
	var p Pulled
	options.Check = func(dir string) (err error) {
		o.Tell.Say(event.End, event.Pull, "every digest right")
		p.Verification, err = o.verify(ctx, reference, dir)
		return err
	}
	o.Tell.Say(event.Begin, event.Pull, "%s to %s", reference, dir)
	p.Pulled, err = oci.Pull(ctx, reference, dir, options)
	if err != nil {
		return p, &event.StepError{Step: event.Pull, Err: err}
	}
	if p.Tag != "" {
		o.Tell.Say(event.Warning, event.Pull, "the tag %s is %s now and may be another release tomorrow; only a digest pins", p.Tag, p.Digest)
	}
	return p, nil
}

// verify checks what was pulled into dir.
func (o PullOptions) verify(ctx context.Context, reference, dir string) (*Verification, error) {
	if o.Unverified {
		return nil, nil
	}
	if o.Certificate == nil && len(keysIn(dir)) == 0 {
		o.Tell.Say(event.Warning, event.Pull, "the release is not signed: only its digests were checked")
		return nil, nil
	}
	v, err := Verify(ctx, VerifyOptions{Dir: dir, Certificate: o.Certificate, Tell: o.Tell})
	if err != nil {
		return nil, err
	}
	return &v, v.Err(reference)
}

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

// UnverifiedError says that Verify found something wrong.
type UnverifiedError struct {
	// Place is what was verified.
	Place string
	// Wrong of All findings did not pass.
	Wrong, All int
}

func (e *UnverifiedError) Error() string {
	return fmt.Sprintf("verifying %s: %d of %d checks failed", e.Place, e.Wrong, e.All)
}

// Err gives an *UnverifiedError where a finding did not pass. place is what was verified.
func (v Verification) Err(place string) error {
	if wrong := v.Wrong(); wrong > 0 {
		return &UnverifiedError{place, wrong, len(v.Findings)}
	}
	return nil
}
