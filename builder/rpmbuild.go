package builder

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"

	"namibuild/builder/buildlog"
	"namibuild/builder/engine"
	"namibuild/builder/event"
)

// rpmbuild runs the main process to its end and writes its log. what names what it
// makes.
func (b *build) rpmbuild(ctx context.Context, c Container, out *output, what string) error {
	b.Tell.Say(event.Begin, event.Rpmbuild, "%s; the log goes to %s", what, out.dir)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	bounded := &buildlog.Bounded{File: out.log}
	log := b.logWriter(bounded, stop)
	exit, err := c.Run(ctx, log)
	if unknown := (*UnknownPackageError)(nil); errors.As(context.Cause(ctx), &unknown) {
		err = unknown
	}
	err = errors.Join(err, log.Close(), b.endLog(bounded))
	if err == nil {
		err = b.checkKeyKind()
	}
	if err == nil && (exit.Code != 0 || exit.OOMKilled) {
		err = failure(exit, out)
	}
	if err != nil {
		return &event.StepError{Step: event.Rpmbuild, Err: err}
	}
	if b.objects == 0 { // it ended before they were counted, or compiled nothing
		b.Tell.Say(event.End, event.Rpmbuild, "done")
		return nil
	}
	b.Tell.Say(event.End, event.Rpmbuild, "%s compiled", event.Count(int(b.objects), "object"))
	return b.Store.Remember("objects", b.Recipe.Name, strconv.FormatInt(b.objects, 10))
}

// endLog puts a log that is too long in order, and says so.
func (b *build) endLog(log *buildlog.Bounded) error {
	n, err := log.Close()
	if n > 0 {
		b.Tell.Say(event.Warning, event.Rpmbuild, "the log is too long: %d bytes of its middle are left out", n)
	}
	return err
}

// logWriter returns the writer of the container's output. It writes the log, tells the
// progress, and calls stop if the spec does not make the wanted packages.
func (b *build) logWriter(log io.Writer, stop context.CancelCauseFunc) *buildlog.Writer {
	expected := b.expectedObjects()
	return &buildlog.Writer{
		W:     log,
		Phase: func(p string) { b.Tell.Say(event.Phase, event.Rpmbuild, "%s", p) },
		Objects: func(n int64) {
			n = max(n, b.objects) // at the end rpmbuild may remove what it built
			b.objects = n
			b.Tell.Progress(event.Rpmbuild, n, max(expected, 0), event.Objects)
		},
		Packages: func(names []string) {
			if err := checkPackages(b.Recipe.Packages, names); err != nil {
				stop(err)
			}
		},
	}
}

// expectedObjects returns how many object files the last build of this recipe has
// compiled, or the number in the recipe.
func (b *build) expectedObjects() int64 {
	if n, err := strconv.ParseInt(b.Store.Recall("objects", b.Recipe.Name), 10, 64); err == nil && n > 0 {
		return n
	}
	return int64(b.Recipe.Objects)
}

// failure keeps the log and returns an *RpmbuildError with the reason that is in it.
func failure(exit engine.Exit, out *output) error {
	e := &RpmbuildError{Status: exit.Code, OOMKilled: exit.OOMKilled, Log: out.keepLog()}
	f, err := os.Open(e.Log)
	if err == nil {
		defer f.Close()
		e.Failure, err = buildlog.ReadFailure(f)
	}
	return errors.Join(e, err)
}
