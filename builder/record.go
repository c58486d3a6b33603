package builder

import (
	"context"

	"namibuild/builder/buildroot"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/set"
	"namibuild/builder/source"
)

// origin returns what the record has of the SRPM and of the changes to it, and writes
// the changes as a diff.
func (b *build) origin(in fetch.File, p source.Preview, out *output) (source.Contents, set.Attached, error) {
	contents, err := source.Describe(b.topdirOf(in).Files(), b.Recipe.Source.Tarball)
	if err != nil {
		return contents, set.Attached{}, &event.StepError{Step: event.Prepare, Err: err}
	}
	diff, err := out.attach(set.ChangesFile, p.Diff())
	return contents, diff, err
}

// buildRoot writes the list of the packages in the builder image, as the image has it.
func (b *build) buildRoot(ctx context.Context, c Container, out *output) (set.Attached, error) {
	list, err := c.Read(ctx, buildroot.Path, buildroot.MaxSize)
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
