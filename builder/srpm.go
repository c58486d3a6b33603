package builder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"namibuild/builder/artifact"
	"namibuild/builder/durable"
	"namibuild/builder/event"
	"namibuild/builder/plan"
	"namibuild/builder/set"
)

// SourceRPM makes the recipe's patched SRPM without building its packages: in
// a container, where rpm itself reads the spec. It appears in the output
// directory under its own name. What a failure leaves is the log, in a folder
// there that the next run clears.
func SourceRPM(ctx context.Context, o Options) (artifact.RPM, error) {
	dir := o.Output
	o.Output = filepath.Join(dir, "."+o.Recipe.Name+".srpm")
	b, err := start(o)
	if err != nil {
		return artifact.RPM{}, err
	}
	out, err := openOutput(o.Output)
	if err != nil {
		return artifact.RPM{}, err
	}
	defer os.Remove(o.Output) // fails where a log is in it
	defer out.close()
	r, err := b.ready(ctx)
	if err != nil {
		return artifact.RPM{}, err
	}
	defer r.topdir.Close()
	box, err := b.start(ctx, r.plan, r.image, plan.Source)
	if err != nil {
		return artifact.RPM{}, err
	}
	defer b.remove(box)
	err = b.upload(ctx, box, r.topdir)
	if err == nil {
		err = b.rpmbuild(ctx, box, out, "the patched SRPM")
	}
	if err != nil {
		return artifact.RPM{}, err
	}
	made, err := b.collectSource(ctx, box, out)
	if err != nil {
		return artifact.RPM{}, err
	}
	if err := os.Rename(filepath.Join(out.part(set.SRPMS), made.File), filepath.Join(dir, made.File)); err != nil {
		return artifact.RPM{}, &durable.Error{Path: dir, Err: err}
	}
	return *made, out.forget()
}

// collectSource takes the one SRPM out of the container, checked.
func (b *build) collectSource(ctx context.Context, box Container, out *output) (*artifact.RPM, error) {
	b.Tell.Say(event.Begin, event.Collect, "the SRPM")
	r, err := box.Export(ctx, set.SRPMS)
	if err != nil {
		return nil, &event.StepError{Step: event.Collect, Err: err}
	}
	defer r.Close()
	made, err := artifact.Collect(event.NewReader(r, 0, b.Tell.Bytes(event.Collect)), out.part(set.SRPMS), nil)
	if err == nil && len(made.RPMs) != 1 {
		err = fmt.Errorf("rpmbuild made %s; one SRPM was expected", event.Count(len(made.RPMs), "package"))
	}
	if err != nil {
		return nil, &event.StepError{Step: event.Collect, Err: err}
	}
	b.Tell.Say(event.End, event.Collect, "%s, digests right", made.RPMs[0].File)
	return &made.RPMs[0], nil
}
