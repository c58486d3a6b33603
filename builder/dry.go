package builder

import (
	"context"

	"namibuild/builder/plan"
	"namibuild/builder/source"
)

// Plan gives the plan of a build and what it would change in the source. It
// needs no engine and starts no container. When the source cannot be had, the
// plan is given without the facts of the source, beside the error.
func Plan(ctx context.Context, o PlanOptions) (plan.Plan, source.Preview, error) {
	o.Engine = nil
	b := planning(o)
	bare, err := b.planOf(plan.SRPM{SHA256: o.Recipe.Source.SHA256}, "")
	if err != nil {
		return plan.Plan{}, source.Preview{}, err
	}
	in, err := b.input(ctx)
	if err != nil {
		return bare, source.Preview{}, err
	}
	preview, err := b.look(ctx, in)
	if err != nil {
		return bare, preview, err
	}
	p, err := b.planOf(srpmOf(in, preview), in.Waived)
	return p, preview, err
}
