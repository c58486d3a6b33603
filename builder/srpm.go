package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"namibuild/builder/artifact"
	"namibuild/builder/plan"
)

// SourceRPM makes the recipe's patched SRPM without building its packages: in
// a container, where rpm itself reads the spec. It appears in the output
// directory under its own name. What a failure leaves is the log, in a folder
// there that the next run clears.
func SourceRPM(ctx context.Context, o Options) (artifact.RPM, error) {
	dir := o.Output
	o.Output = filepath.Join(dir, "."+o.Recipe.Name+".srpm")
	b := &build{Options: o}
	out, err := openOutput(o.Output)
	if err != nil {
		return artifact.RPM{}, err
	}
	out.made = true // the folder goes when nothing is in it, whoever made it
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
	if err := os.Rename(filepath.Join(out.part(SRPMS), made.File), filepath.Join(dir, made.File)); err != nil {
		return artifact.RPM{}, &OutputError{dir, err}
	}
	return *made, out.forget()
}

// collectSource takes the one SRPM out of the container, checked.
func (b *build) collectSource(ctx context.Context, box Container, out *output) (*artifact.RPM, error) {
	b.tell(Begin, StepCollect, "the SRPM")
	r, err := box.Export(ctx, SRPMS)
	if err != nil {
		return nil, &StepError{StepCollect, err}
	}
	defer r.Close()
	set, err := artifact.Collect(&reading{r: r, tell: b.bytes(StepCollect)}, out.part(SRPMS), nil)
	if err == nil && len(set.RPMs) != 1 {
		err = fmt.Errorf("rpmbuild made %s; one SRPM was expected", count(len(set.RPMs), "package"))
	}
	if err != nil {
		return nil, &StepError{StepCollect, err}
	}
	b.tell(End, StepCollect, "%s, digests right", set.RPMs[0].File)
	return &set.RPMs[0], nil
}

// forget throws away what was logged.
func (o *output) forget() error {
	return errors.Join(o.log.Truncate(0), os.RemoveAll(o.path(FailedLog)))
}
