package builder

import (
	"context"
	"os"
	"strings"

	"namibuild/builder/engine"
	"namibuild/builder/plan"
)

// Image gives the recipe's builder image, built if it is not there.
func Image(ctx context.Context, o Options) (engine.Image, error) {
	return (&build{Options: o}).image(ctx)
}

// ImportBase makes the tar of a root file system the base of the recipe's
// image.
func ImportBase(ctx context.Context, o Options, file string) error {
	b := &build{Options: o}
	b.tell(Begin, StepImage, "importing %s", file)
	fail := func(err error) error { return &StepError{StepImage, err} }
	f, err := os.Open(file)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	if err := o.Engine.ImportBase(ctx, o.Recipe.Image, &reading{r: f, total: info.Size(), tell: b.bytes(StepImage)}); err != nil {
		return fail(err)
	}
	b.tell(End, StepImage, "base of %s imported", o.Recipe.Image)
	return nil
}

func (b *build) image(ctx context.Context) (engine.Image, error) {
	b.tell(Begin, StepImage, "%s", b.Recipe.Image)
	image, err := b.ensureImage(ctx, StepImage)
	if err != nil {
		return image, &StepError{StepImage, err}
	}
	how := "is there"
	if image.Built {
		how = "built"
	}
	b.tell(End, StepImage, "%s %s", image.Ref, how)
	return image, nil
}

func (b *build) ensureImage(ctx context.Context, s Step) (engine.Image, error) {
	def, err := plan.DefineImage(b.Images, b.Recipe.Image)
	if err != nil {
		return engine.Image{}, err
	}
	spec := engine.ImageSpec{Name: def.Name, Files: def.Files, Paths: def.Paths, Dockerfile: def.Dockerfile, Args: b.Args, NoCache: b.NoCache, ExistingOnly: b.Offline}
	return b.Engine.EnsureImage(ctx, spec, b.building(s))
}

// building turns an image build's progress into events of a step.
func (b *build) building(s Step) func(engine.ImageProgress) {
	return func(p engine.ImageProgress) {
		switch {
		case len(p.Log) > 0:
			for line := range strings.Lines(string(p.Log)) {
				b.tell(Output, s, "%s", strings.TrimSpace(line))
			}
		case p.Total > 0:
			b.Tell(Event{Kind: Progress, Step: s, Done: p.Current, Total: p.Total, Unit: Bytes})
		case !p.Done && !strings.HasPrefix(p.Step, "[internal]"):
			b.tell(Phase, s, "%s", strings.Join(strings.Fields(p.Step), " "))
		}
	}
}
