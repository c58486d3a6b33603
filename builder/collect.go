package builder

import (
	"context"
	"errors"
	"fmt"

	"namibuild/builder/artifact"
	"namibuild/builder/event"
	"namibuild/builder/set"
)

// collect takes the packages out of the container and checks them.
func (b *build) collect(ctx context.Context, c Container, out *output) (artifact.Set, error) {
	b.Tell.Say(event.Begin, event.Collect, "the packages")
	made, err := b.export(ctx, c, out, set.RPMS, b.Recipe.Packages)
	if err == nil {
		err = made.CheckConfig(b.Recipe.Config)
	}
	if isUnwanted(err) && len(made.RPMs) > 0 {
		kept, keepErr := out.keepRPMS()
		err = errors.Join(fmt.Errorf("%w, kept in %s", err, kept), keepErr)
	}
	if err == nil {
		err = b.checkKeyLeaks(ctx, out, made)
	}
	if err != nil {
		return artifact.Set{}, &event.StepError{Step: event.Collect, Err: err}
	}
	return made, nil
}

// isUnwanted reports whether packages are right, but not what the recipe wants.
func isUnwanted(err error) bool {
	return errors.As(err, new(*artifact.MissingError)) || errors.As(err, new(*artifact.ConfigError))
}

// collectSource takes the one SRPM out of the container and checks it.
func (b *build) collectSource(ctx context.Context, c Container, out *output) (*artifact.RPM, error) {
	b.Tell.Say(event.Begin, event.Collect, "the SRPM")
	made, err := b.export(ctx, c, out, set.SRPMS, nil)
	if err == nil && len(made.RPMs) != 1 {
		err = fmt.Errorf("rpmbuild made %s, want one SRPM", event.Count(len(made.RPMs), "package"))
	}
	if err != nil {
		return nil, &event.StepError{Step: event.Collect, Err: err}
	}
	b.Tell.Say(event.End, event.Collect, "%s, digests right", made.RPMs[0].File)
	return &made.RPMs[0], nil
}

// export copies the packages of a folder out of the container, verified.
func (b *build) export(ctx context.Context, c Container, out *output, folder string, wanted []string) (artifact.Set, error) {
	r, err := c.Export(ctx, folder)
	if err != nil {
		return artifact.Set{}, err
	}
	defer r.Close()
	return artifact.Collect(event.NewReader(r, 0, b.Tell.Bytes(event.Collect)), out.part(folder), wanted)
}
