package builder

import (
	"cmp"
	"context"
	"fmt"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"namibuild/builder/oci"
)

// The steps of Push and Pull.
const (
	StepPush Step = "push"
	StepPull Step = "pull"
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
	// Check looks at what Pull brought before it gets its name; nil is no check.
	Check func(dir string) error
	// Tell takes the events; calls do not overlap.
	Tell func(Event)
}

// Push puts a release, or the output directory of a build, into the registry
// that reference names, with Docker's credentials. What the build's record says
// of time, name and plan stands in the manifest.
func Push(ctx context.Context, dir, reference string, o RegistryOptions) (oci.Pushed, error) {
	options, err := o.options(StepPush)
	if err != nil {
		return oci.Pushed{}, &StepError{StepPush, err}
	}
	record, err := recordBeside(dir)
	if err != nil {
		return oci.Pushed{}, &StepError{StepPush, err}
	}
	if record != nil {
		options.Created = time.Unix(record.Plan.SRPM.Epoch, 0)
		options.Annotations = map[string]string{ocispec.AnnotationTitle: record.Plan.Name, PlanAnnotation: record.PlanID}
	}
	o.Tell(Event{Kind: Begin, Step: StepPush, Text: dir + " to " + reference})
	pushed, err := oci.Push(ctx, dir, reference, options)
	if err != nil {
		return oci.Pushed{}, &StepError{StepPush, err}
	}
	o.Tell(Event{Kind: End, Step: StepPush, Text: fmt.Sprintf("%s, %.1f MB the registry did not have", count(len(pushed.Files), "file"), float64(pushed.Sent)/1e6)})
	return pushed, nil
}

// Pull brings a release from a registry into dir, which must not exist or be
// empty. A tag is resolved, and that it pins nothing is a warning.
func Pull(ctx context.Context, reference, dir string, o RegistryOptions) (oci.Pulled, error) {
	options, err := o.options(StepPull)
	if err != nil {
		return oci.Pulled{}, &StepError{StepPull, err}
	}
	options.Check = func(dir string) error {
		o.Tell(Event{Kind: End, Step: StepPull, Text: "every digest right"})
		if o.Check == nil {
			return nil
		}
		return o.Check(dir)
	}
	o.Tell(Event{Kind: Begin, Step: StepPull, Text: reference + " to " + dir})
	pulled, err := oci.Pull(ctx, reference, dir, options)
	if err != nil {
		return oci.Pulled{}, &StepError{StepPull, err}
	}
	if pulled.Tag != "" {
		o.Tell(Event{Kind: Warning, Step: StepPull, Text: fmt.Sprintf("the tag %s is %s now and may be another release tomorrow; only a digest pins", pulled.Tag, pulled.Digest)})
	}
	return pulled, nil
}

func (o RegistryOptions) options(step Step) (oci.Options, error) {
	credential, err := oci.DockerCredential()
	last := ""
	return oci.Options{PlainHTTP: o.PlainHTTP, UserAgent: cmp.Or(o.UserAgent, "namibuild"), Credential: credential,
		Tell: func(p oci.Progress) {
			if p.File != "" && p.File != last {
				o.Tell(Event{Kind: Note, Step: step, Text: p.File})
			}
			last = p.File
			o.Tell(Event{Kind: Progress, Step: step, Done: p.Done, Total: p.Total, Unit: Bytes})
		}}, err
}
