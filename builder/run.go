package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"namibuild/builder/artifact"
	"namibuild/builder/buildlog"
	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/plan"
	"namibuild/builder/set"
)

// runScript is the container's main process (images/common/rpmbuild.sh).
const runScript = "/usr/lib/namibuild/rpmbuild.sh"

// pids bounds the processes of a build: make -j64 with its compilers and
// shells stays far below it.
const pids = 4096

// run is the container: a topdir goes in, checked packages come out.
func (b *build) run(ctx context.Context, r ready, out *output) (set.Record, error) {
	res := set.Record{PlanID: r.plan.ID(), Plan: r.plan, Image: r.image, Varied: b.Vary.words(), Proof: b.Recipe.Proof}
	modes := plan.Binary
	if b.SRPM {
		modes = plan.SourceToo
	}
	started := b.now()
	box, err := b.start(ctx, r.plan, r.image, modes)
	if err != nil {
		return res, err
	}
	defer b.remove(box)
	res.Entropy = box.Entropy().Source
	if res.BuildRoot, err = b.buildRoot(ctx, box, out); err != nil {
		return res, err
	}
	if err := b.upload(ctx, box, r.topdir); err != nil {
		return res, err
	}
	if err := b.rpmbuild(ctx, box, out, strings.Join(b.Recipe.Packages, ", ")); err != nil {
		return res, err
	}
	res.Objects = b.objects
	if res.Signatures, err = b.signed(out); err != nil {
		return res, err
	}
	if b.SRPM {
		if res.SRPM, err = b.collectSource(ctx, box, out); err != nil {
			return res, err
		}
	}
	if res.Set, err = b.collect(ctx, box, out); err != nil {
		return res, err
	}
	res.Leaks, err = b.leaks(ctx, r.plan, res.Set, started)
	return res, err
}

func (b *build) remove(box Container) {
	if err := box.Remove(); err != nil {
		b.Tell.Say(event.Warning, "", "removing the container: %v", err)
	}
}

func (b *build) start(ctx context.Context, p plan.Plan, image engine.Image, modes plan.Modes) (Container, error) {
	b.Tell.Say(event.Begin, event.Container, "from %s", image.Ref)
	p, err := b.varied(p)
	if err == nil {
		err = b.Vary.checkDate(p, b.now())
	}
	if err != nil {
		return nil, &event.StepError{Step: event.Container, Err: err}
	}
	spec := engine.ContainerSpec{
		Name: p.Name, Image: image.ID, Command: append([]string{runScript}, p.Command(modes)...),
		Hostname: p.Hostname, User: p.User, Topdir: p.Topdir, TopdirSize: p.TmpfsBytes,
		Memory: p.MemoryBytes, Pids: pids, Entropy: true,
	}
	for _, v := range p.Env {
		spec.Env = append(spec.Env, v.Name+"="+v.Value)
	}
	spec.Relay = b.relay(p)
	b.Vary.apply(&spec, b.now())
	box, err := b.Engine.Create(ctx, spec)
	if err != nil {
		return nil, &event.StepError{Step: event.Container, Err: err}
	}
	for _, n := range box.Notes() {
		b.Tell.Say(event.Note, event.Container, "the engine says: %s", n)
	}
	entropy := box.Entropy()
	if entropy.Reason != "" {
		b.Tell.Say(event.Note, event.Container, "no rngd: %s", entropy.Reason)
	}
	b.Tell.Say(event.End, event.Container, "no network, no capability; entropy: %s", entropy.Source)
	return box, nil
}

// rpmbuild runs the main process to its end, with the log on disk.
func (b *build) rpmbuild(ctx context.Context, box Container, out *output, what string) error {
	b.Tell.Say(event.Begin, event.Rpmbuild, "%s; the log goes to %s", what, out.dir)
	expected := b.expected()
	bounded := &buildlog.Bounded{File: out.log}
	log := &buildlog.Writer{W: bounded,
		Phase: func(p string) { b.Tell.Say(event.Phase, event.Rpmbuild, "%s", p) },
		Objects: func(n int64) {
			n = max(n, b.objects) // at the end rpmbuild may remove what it built
			b.objects = n
			b.Tell.Progress(event.Rpmbuild, n, max(expected, 0), event.Objects)
		}}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	log.Packages = func(names []string) {
		if err := checkPackages(b.Recipe.Packages, names); err != nil {
			stop(err)
		}
	}
	exit, err := box.Run(ctx, log)
	if wrong := (*UnknownPackageError)(nil); errors.As(context.Cause(ctx), &wrong) {
		err = wrong
	}
	err = errors.Join(err, log.Close())
	if err := errors.Join(err, b.endLog(bounded)); err != nil {
		return &event.StepError{Step: event.Rpmbuild, Err: err}
	}
	if err := b.refused(); err != nil {
		return &event.StepError{Step: event.Rpmbuild, Err: err}
	}
	if exit.Code != 0 || exit.OOMKilled {
		return b.failed(exit, out)
	}
	if b.objects == 0 { // it took less than one look at it, or compiled nothing
		b.Tell.Say(event.End, event.Rpmbuild, "done")
		return nil
	}
	b.Tell.Say(event.End, event.Rpmbuild, "%s compiled", event.Count(int(b.objects), "object"))
	return b.Store.Remember("objects", b.Recipe.Name, strconv.FormatInt(b.objects, 10))
}

// endLog puts a log in order that is too long, and says so.
func (b *build) endLog(log *buildlog.Bounded) error {
	n, err := log.Close()
	if n > 0 {
		b.Tell.Say(event.Warning, event.Rpmbuild, "the log is too long: %d bytes of its middle are left out", n)
	}
	return err
}

// expected is how many objects the last build of this recipe made, or what the
// recipe says.
func (b *build) expected() int64 {
	if n, err := strconv.ParseInt(b.Store.Recall("objects", b.Recipe.Name), 10, 64); err == nil && n > 0 {
		return n
	}
	return int64(b.Recipe.Objects)
}

// failed reads the log for the reason and keeps it.
func (b *build) failed(exit engine.Exit, out *output) error {
	e := &RpmbuildError{Status: exit.Code, OOMKilled: exit.OOMKilled, Log: out.keepLog()}
	f, err := os.Open(e.Log)
	if err == nil {
		defer f.Close()
		e.Failure, err = buildlog.ReadFailure(f)
	}
	return &event.StepError{Step: event.Rpmbuild, Err: errors.Join(e, err)}
}

func (b *build) collect(ctx context.Context, box Container, out *output) (artifact.Set, error) {
	b.Tell.Say(event.Begin, event.Collect, "the packages")
	fail := func(err error) (artifact.Set, error) {
		return artifact.Set{}, &event.StepError{Step: event.Collect, Err: err}
	}
	r, err := box.Export(ctx, set.RPMS)
	if err != nil {
		return fail(err)
	}
	defer r.Close()
	made, err := artifact.Collect(event.NewReader(r, 0, b.Tell.Bytes(event.Collect)), out.part(set.RPMS), b.Recipe.Packages)
	if err == nil {
		err = made.CheckConfig(b.Recipe.Config)
	}
	if notAsWanted(err) && len(made.RPMs) > 0 {
		kept, kerr := out.keepRPMS()
		return fail(errors.Join(fmt.Errorf("%w, kept in %s", err, kept), kerr))
	}
	if err != nil {
		return fail(err)
	}
	if err := b.scan(ctx, out, made); err != nil {
		return fail(err)
	}
	return made, nil
}

// notAsWanted: the packages are right, and not what the recipe asks for.
func notAsWanted(err error) bool {
	return errors.As(err, new(*artifact.MissingError)) || errors.As(err, new(*artifact.ConfigError))
}
