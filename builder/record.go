package builder

import (
	"context"

	"namibuild/builder/buildroot"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/set"
	"namibuild/builder/source"
)

// origin records the SRPM and what the recipe changed in it.
func (b *build) origin(in fetch.File, p source.Preview, out *output) (source.Contents, set.Attached, error) {
	contents, err := source.Describe(in.Path, b.local().Source.Tarball)
	if err != nil {
		return contents, set.Attached{}, &event.StepError{Step: event.Prepare, Err: err}
	}
	diff, err := out.attach(set.ChangesFile, p.Diff())
	return contents, diff, err
}

// buildRoot records the packages of the builder image, as the image lists them.
func (b *build) buildRoot(ctx context.Context, box Container, out *output) (set.Attached, error) {
	list, err := box.Read(ctx, buildroot.Path, buildroot.MaxSize)
	if err != nil {
		return set.Attached{}, &event.StepError{Step: event.Container, Err: err}
	}
	root, err := buildroot.Parse(list)
	if err != nil {
		return set.Attached{}, &event.StepError{Step: event.Container, Err: err}
	}
	b.Tell.Say(event.Note, event.Container, "build root: %s of %s %s", event.Count(len(root.Packages), "package"), root.Distribution, root.Release)
	return out.attach(set.BuildRootFile, string(root.JSON()))
}
