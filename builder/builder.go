// Package builder is how a recipe becomes packages. Build reads as the list of
// its steps; each of them lives in a package of its own, and what they say on
// the way are Events, which the command shows.
package builder

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/modkey"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
	"namibuild/builder/source"
)

// Engine is what Build needs of a container engine.
type Engine interface {
	// EnsureImage gives the image of a definition, built if it is not there.
	EnsureImage(context.Context, engine.ImageSpec, func(engine.ImageProgress)) (engine.Image, error)
	// ImportBase makes a root file system's tar the base of an image.
	ImportBase(ctx context.Context, name string, root io.Reader) error
	// Export builds a definition and writes the files of its last stage to dir.
	Export(ctx context.Context, spec engine.ImageSpec, dir string, progress func(engine.ImageProgress)) error
	// Create makes a container that has not started, with its entropy supply.
	Create(context.Context, engine.ContainerSpec) (Container, error)
	// Sweep removes what drivers that are no more have left.
	Sweep(context.Context) (int, error)
}

// Container is one run: a tar goes in, a process runs to its end, a tar comes
// out. Remove is called in any case and leaves nothing.
type Container interface {
	Upload(ctx context.Context, tar io.Reader) error
	Run(ctx context.Context, log io.Writer) (engine.Exit, error)
	Export(ctx context.Context, name string) (io.ReadCloser, error)
	// Read gives a file of the image.
	Read(ctx context.Context, name string, limit int64) ([]byte, error)
	Entropy() engine.Entropy
	Notes() []string
	Remove() error
}

// Over makes an Engine of the real one.
func Over(e *engine.Engine) Engine { return docker{e} }

type docker struct{ *engine.Engine }

func (d docker) Create(ctx context.Context, s engine.ContainerSpec) (Container, error) {
	c, err := d.Engine.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// SourceOptions are what a recipe's source comes from: all that Input, Prepare and Image
// need.
type SourceOptions struct {
	Recipe recipe.Recipe
	// Images holds the image definitions: Dockerfile.* and images/.
	Images fs.FS
	Store  *fetch.Store
	// Engine runs containers. Functions that cannot do without one refuse a nil Engine
	// with ErrNoEngine; for the others nil means that no container is started.
	Engine Engine
	// Args are build arguments for the images: mirrors.
	Args map[string]string
	// NoCache runs every step of an image build anew, and takes nothing that an
	// earlier run has kept of a source.
	NoCache bool
	// Offline forbids the network: the source comes from the store or from
	// where it lies, and the engine holds the image already.
	Offline bool
	// InsecureSource takes an SRPM that the recipe's digest or key does not
	// vouch for, if its own digests are right. The plan then says so.
	InsecureSource bool
	// Version is the version of the program, for the record.
	Version string
	// Program identifies the code of the program exactly, as the digest of its
	// executable does and a version, which edited sources share, does not. A run
	// uses what an earlier run has made or found of a source if both have the
	// same Program. If it is empty, nothing of the kind is used or kept.
	Program string
	// Tell takes the events; nil drops them.
	Tell event.Sink
}

// PlanOptions are what a plan is made from: all that Plan and Lock need.
type PlanOptions struct {
	SourceOptions
	// Jobs is make's -j.
	Jobs int
	// Memory is the container's limit in bytes.
	Memory int64
	// Tmpfs, if not 0, puts the topdir into memory, with this many bytes.
	Tmpfs int64
	// Unpinned are the names of pins that the build goes without (plan.Pins).
	Unpinned []string
}

// Options are what one build is made from and where it goes.
type Options struct {
	PlanOptions
	// Output is the directory that gets the packages, the log, the record.
	Output string
	// SRPM makes the patched SRPM too.
	SRPM bool
	// Vary is what must not matter to the packages.
	Vary Vary
	// Now, if not nil, is the real clock: a record holds when a build began and
	// ended, and nothing else depends on it.
	Now func() time.Time
	// Lock, if there is one, is what the build must be equal to; a *LockError says that
	// it is not. Release demands a lock.
	Lock    *plan.Lock
	Release bool
	// SRPMFile, with a Lock, is where the locked SRPM lies on this host, wherever
	// the recipe has it from.
	SRPMFile string
	// Host is the name of this host, which nothing in the packages may show.
	Host string
}

// ErrNoEngine says that a container is needed and no engine was given.
var ErrNoEngine = errors.New("no container engine was given")

// Build makes the packages of a recipe. On an error nothing of the build is
// left but the log of rpmbuild, as set.FailedLog in the output directory; what an
// earlier build put there stays as it was.
func Build(ctx context.Context, o Options) (set.Record, error) {
	b, err := start(o)
	if err == nil {
		err = b.checkRelease()
	}
	if err != nil {
		return set.Record{}, err
	}
	out, err := openOutput(o.Output)
	if err != nil {
		return set.Record{}, err
	}
	defer out.close()
	run := set.Run{Namibuild: o.Version, Started: b.now(), Days: o.Vary.Days}
	r, err := b.ready(ctx)
	if err != nil {
		return set.Record{}, err
	}
	defer r.topdir.Close()
	contents, changes, err := b.origin(r.input, r.topdir.preview, out)
	if err != nil {
		return set.Record{}, err
	}
	res, err := b.run(ctx, r, out)
	if err != nil {
		return set.Record{}, err
	}
	run.Finished = b.now()
	res.Run, res.Source, res.Changes = run, contents, changes
	if err := b.keepLock(out); err != nil {
		return set.Record{}, err
	}
	res.Set, err = out.publish(res)
	return res, err
}

// ready is all that a container is started for.
type ready struct {
	input  fetch.File
	topdir *topdir
	image  engine.Image
	plan   plan.Plan
}

// ready brings in the source, patches it, and makes the image and the plan. The
// caller closes the topdir.
func (b *build) ready(ctx context.Context) (r ready, err error) {
	b.sweep(ctx)
	if r.input, err = b.input(ctx); err != nil {
		return r, err
	}
	if r.topdir, err = b.prepare(ctx, r.input); err != nil {
		return r, err
	}
	r.plan, err = b.planOf(srpmOf(r.input, r.topdir.preview), r.input.Waived)
	if err == nil {
		err = b.checkLock(r.plan, nil)
	}
	if err == nil {
		r.image, err = b.lockedImage(ctx, r.plan)
	}
	if err != nil {
		r.topdir.Close()
	}
	return r, err
}

// build is one run of Build.
type build struct {
	Options
	objects int64
	// what signs modules: a key or recorded signatures, at a desk while it runs
	key      *modkey.Key
	recorded *modkey.Table
	desk     *modkey.Server
	// tarballFile is where the store has the recipe's tarball; empty: none.
	tarballFile string
}

// start begins a run that needs an engine.
func start(o Options) (*build, error) {
	if o.Engine == nil {
		return nil, ErrNoEngine
	}
	return &build{Options: o}, nil
}

// now is the real time by the clock that the caller handed in, in whole seconds. It is the
// zero time where there is no clock.
func (b *build) now() time.Time {
	if b.Now == nil {
		return time.Time{}
	}
	return b.Now().UTC().Truncate(time.Second)
}

// sweep removes what earlier runs left on the engine. A failure is only a warning.
func (b *build) sweep(ctx context.Context) { b.Tell.Swept(b.Engine.Sweep(ctx)) }

// Prepare brings the recipe's source in and writes the tar of the patched
// topdir, which is what Build sends into the container. It needs no engine
// but for a source that was not packed yet.
func Prepare(ctx context.Context, o SourceOptions, w io.WriteSeeker) (source.Preview, error) {
	b := sourcing(o)
	in, err := b.input(ctx)
	if err != nil {
		return source.Preview{}, err
	}
	return b.patch(ctx, in, w)
}

// sourcing begins a run that needs nothing but the source.
func sourcing(o SourceOptions) *build { return planning(PlanOptions{SourceOptions: o}) }

// planning begins a run that ends with a plan.
func planning(o PlanOptions) *build { return &build{Options: Options{PlanOptions: o}} }

// patch writes the topdir of an SRPM with the recipe's tag and edits in it.
func (b *build) patch(ctx context.Context, in fetch.File, w io.WriteSeeker) (source.Preview, error) {
	b.Tell.Say(event.Begin, event.Prepare, "%s, tag %q", event.Count(len(b.Recipe.Config)+len(b.Recipe.Patches)+len(b.Recipe.Sources)+len(b.Recipe.Edits), "edit"), b.Recipe.Tag)
	preview, err := source.Prepare(ctx, in.Path, b.local(), w, b.Tell.Bytes(event.Prepare))
	if err != nil {
		return preview, &event.StepError{Step: event.Prepare, Err: err}
	}
	b.tellPrepared(preview, "")
	return preview, nil
}

// tellPrepared ends the step with what was done, and how.
func (b *build) tellPrepared(p source.Preview, how string) {
	for _, note := range p.Notes {
		b.Tell.Say(event.Note, event.Prepare, "%s", note)
	}
	for _, warning := range p.Warnings {
		b.Tell.Say(event.Warning, event.Prepare, "%s", warning)
	}
	b.Tell.Say(event.End, event.Prepare, "%s edited, %s changed in %s%s", event.Count(len(p.Changes), "file"), event.Count(len(p.Renames), "name"), p.Package, how)
}

func srpmOf(in fetch.File, p source.Preview) plan.SRPM {
	return plan.SRPM{File: p.Package.Filename(), SHA256: in.SHA256, Epoch: p.Epoch}
}

// planOf gives the plan of this build for a source and what was waived for it.
func (b *build) planOf(srpm plan.SRPM, insecure string) (plan.Plan, error) {
	image, err := plan.DefineImage(b.Images, b.Recipe.Image)
	if err != nil {
		return plan.Plan{}, &event.StepError{Step: event.Image, Err: err}
	}
	fingerprint, err := b.openKey()
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.New(b.Recipe, plan.Input{
		SRPM:        srpm,
		Insecure:    insecure,
		ModuleKey:   fingerprint,
		Image:       image.Digest,
		Files:       image.Sums,
		Unpinned:    b.Unpinned,
		Jobs:        b.Jobs,
		MemoryBytes: b.Memory,
		TmpfsBytes:  b.Tmpfs,
	})
}
