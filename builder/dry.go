package builder

import (
	"context"

	"namibuild/builder/plan"
	"namibuild/builder/source"
)

// Dry gives the plan of a build and what it would change in the source. It
// needs no engine and starts no container. When the source cannot be had, the
// plan is given without the facts of the source, beside the error.
func Dry(ctx context.Context, o Options) (plan.Plan, source.Preview, error) {
	b := &build{Options: o}
	b.Engine = nil
	bare, err := b.planOf(plan.SRPM{SHA256: o.Recipe.Source.SHA256}, "")
	if err != nil {
		return plan.Plan{}, source.Preview{}, err
	}
	in, err := b.input(ctx)
	if err != nil {
		return bare, source.Preview{}, err
	}
	b.tell(Begin, StepPrepare, "looking the edits up")
	preview, err := source.Inspect(ctx, in.Path, b.local(), b.bytes(StepPrepare))
	if err != nil {
		return bare, preview, &StepError{StepPrepare, err}
	}
	b.tell(End, StepPrepare, "%s to edit, %s to change in %s", count(len(preview.Changes), "file"), count(len(preview.Renames), "name"), preview.Package)
	p, err := b.planOf(srpmOf(in, preview), in.Waived)
	return p, preview, err
}
