package builder

import (
	"bytes"
	"context"
	"io"
	"strings"

	"namibuild/builder/artifact"
	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/plan"
	"namibuild/builder/set"
	"namibuild/builder/topdir"
)

// runScript is the container's main process (images/common/rpmbuild.sh).
const runScript = "/usr/lib/namibuild/rpmbuild.sh"

// pids limits the processes of a build. make -j64 with its compilers and shells stays
// far below it.
const pids = 4096

// run runs the build in a container and returns the checked packages.
func (b *build) run(ctx context.Context, r ready, out *output) (set.Record, error) {
	res := set.Record{PlanID: r.plan.ID(), Plan: r.plan, Image: r.image, Varied: b.Vary.Words(), Proof: b.Recipe.Proof}
	modes := plan.Binary
	if b.SRPM {
		modes = plan.SourceToo
	}
	started := b.now()
	c, err := b.create(ctx, r.plan, r.image, modes)
	if err != nil {
		return res, err
	}
	defer b.remove(c)
	res.Entropy = c.Entropy().Source
	if res.BuildRoot, err = b.buildRoot(ctx, c, out); err != nil {
		return res, err
	}
	if err := b.upload(ctx, c, r.topdir); err != nil {
		return res, err
	}
	if err := b.rpmbuild(ctx, c, out, strings.Join(b.Recipe.Packages, ", ")); err != nil {
		return res, err
	}
	res.Objects = b.objects
	if res.Signatures, err = b.keepSignatures(out); err != nil {
		return res, err
	}
	if b.SRPM {
		if res.SRPM, err = b.collectSource(ctx, c, out); err != nil {
			return res, err
		}
	}
	if res.Set, err = b.collect(ctx, c, out); err != nil {
		return res, err
	}
	res.Leaks, err = b.leaks(ctx, r.plan, res.Set, started)
	return res, err
}

// runSource makes the patched SRPM in a container and returns it, checked.
func (b *build) runSource(ctx context.Context, r ready, out *output) (*artifact.RPM, error) {
	c, err := b.create(ctx, r.plan, r.image, plan.Source)
	if err != nil {
		return nil, err
	}
	defer b.remove(c)
	if err := b.upload(ctx, c, r.topdir); err != nil {
		return nil, err
	}
	if err := b.rpmbuild(ctx, c, out, "the patched SRPM"); err != nil {
		return nil, err
	}
	return b.collectSource(ctx, c, out)
}

// create makes the container, as the plan and Vary say. The caller removes it.
func (b *build) create(ctx context.Context, p plan.Plan, image engine.Image, modes plan.Modes) (Container, error) {
	b.Tell.Say(event.Begin, event.Container, "from %s", image.Ref)
	p, err := b.varied(p)
	if err == nil {
		err = b.Vary.CheckDate(p, b.now())
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
	b.Vary.Apply(&spec, b.now())
	c, err := b.Engine.Create(ctx, spec)
	if err != nil {
		return nil, &event.StepError{Step: event.Container, Err: err}
	}
	for _, n := range c.Notes() {
		b.Tell.Say(event.Note, event.Container, "the engine says: %s", n)
	}
	entropy := c.Entropy()
	if entropy.Reason != "" {
		b.Tell.Say(event.Note, event.Container, "no rngd: %s", entropy.Reason)
	}
	b.Tell.Say(event.End, event.Container, "no network, no capability; entropy: %s", entropy.Source)
	return c, nil
}

// remove removes the container. Failure to do so is only a warning.
func (b *build) remove(c Container) {
	if err := c.Remove(); err != nil {
		b.Tell.Say(event.Warning, "", "removing the container: %v", err)
	}
}

// upload sends the topdir into the container, after the files that Vary needs.
func (b *build) upload(ctx context.Context, c Container, t *topdir.Topdir) error {
	files, err := b.Vary.Files(b.Images)
	if err == nil {
		b.Tell.Say(event.Begin, event.Upload, "patched sources")
		err = t.Send(ctx, b.Tell, func(tar io.Reader) error {
			return c.Upload(ctx, io.MultiReader(bytes.NewReader(files), tar))
		})
	}
	if err != nil {
		return &event.StepError{Step: event.Upload, Err: err}
	}
	b.Tell.Say(event.End, event.Upload, "patched sources, %.1f MB", float64(t.Size)/1e6)
	return nil
}
