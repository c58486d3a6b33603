package builder

import (
	"context"

	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/plan"
	"namibuild/builder/source"
	"namibuild/builder/vary"
)

// plan brings the source in and returns the plan of its build, and what the build would change
// in the source.
func (b *build) plan(ctx context.Context) (plan.Plan, source.Preview, error) {
	in, err := b.input(ctx)
	if err != nil {
		return plan.Plan{}, source.Preview{}, err
	}
	defer b.closeInput(in)
	preview, err := b.topdirOf(in).Preview(ctx)
	if err != nil {
		return plan.Plan{}, preview, err
	}
	p, err := b.planOf(srpmOf(in, preview), in.Waived)
	return p, preview, err
}

func srpmOf(in fetch.File, p source.Preview) plan.SRPM {
	return plan.SRPM{File: p.Package.Filename(), SHA256: in.SHA256, Epoch: p.Epoch}
}

// planOf returns the plan of this build for a source, and for what was waived for it.
func (b *build) planOf(srpm plan.SRPM, insecure string) (plan.Plan, error) {
	in, err := b.planInput(srpm, insecure)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.New(b.Recipe, in)
}

// varied returns the plan that is run in the place of p.
func (b *build) varied(p plan.Plan) (plan.Plan, error) {
	if b.Vary == (vary.Options{}) {
		return p, nil
	}
	in, err := b.planInput(p.SRPM, p.Insecure)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.New(b.Recipe, b.Vary.Input(in))
}

func (b *build) planInput(srpm plan.SRPM, insecure string) (plan.Input, error) {
	image, err := plan.DefineImage(b.Images, b.Recipe.Image)
	if err != nil {
		return plan.Input{}, &event.StepError{Step: event.Image, Err: err}
	}
	fingerprint, err := b.openKey()
	if err != nil {
		return plan.Input{}, err
	}
	return plan.Input{
		SRPM:        srpm,
		Insecure:    insecure,
		ModuleKey:   fingerprint,
		Image:       image.Digest,
		Files:       image.Sums,
		Unpinned:    b.Unpinned,
		Jobs:        b.Jobs,
		MemoryBytes: b.Memory,
		TmpfsBytes:  b.Tmpfs,
	}, nil
}
