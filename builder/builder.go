package builder

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/durable"
	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/modkey"
	"namibuild/builder/plan"
	"namibuild/builder/set"
	"namibuild/builder/source"
	"namibuild/builder/topdir"
)

// Input brings in the recipe's SRPM, and its tarball if it has one, and checks them.
// The SRPM comes from a file, the store or the network, or is packed in a container.
// The caller closes it.
func Input(ctx context.Context, o SourceOptions) (fetch.File, error) {
	b := sourcing(o)
	defer func() { b.leftOut.Close() }()
	return b.input(ctx)
}

// Prepare brings the source in and writes the tar of the patched topdir to w, which is
// what Build sends into the container.
func Prepare(ctx context.Context, o SourceOptions, w io.WriteSeeker) (source.Preview, error) {
	b := sourcing(o)
	in, err := b.input(ctx)
	if err != nil {
		return source.Preview{}, err
	}
	defer b.closeInput(in)
	return b.topdirOf(in).Write(ctx, w)
}

// Plan brings the source in and returns the plan of its build, and what the build would
// change in the source. It starts no container and ignores the Engine. If it fails
// after the recipe and the image definition were read, the plan that comes with the error
// is complete but for the facts of the source.
func Plan(ctx context.Context, o PlanOptions) (plan.Plan, source.Preview, error) {
	o.Engine = nil
	b := planning(o)
	incomplete, err := b.planOf(plan.SRPM{SHA256: o.Recipe.Source.SHA256}, "")
	if err != nil {
		return plan.Plan{}, source.Preview{}, err
	}
	p, preview, err := b.plan(ctx)
	if err != nil {
		return incomplete, preview, err
	}
	return p, preview, nil
}

// Lock returns the lock of a recipe: the plan that Build would carry out, the recipe's
// page, whose file name and content are given, all files that the page names, and the
// layers of the builder image. Without an Engine the lock has no layers, and pins the
// image by the digest of its definition alone.
func Lock(ctx context.Context, o PlanOptions, file string, page []byte) (plan.Lock, error) {
	b := planning(o)
	p, _, err := b.plan(ctx)
	if err != nil {
		return plan.Lock{}, err
	}
	l := plan.Lock{Plan: p, Page: plan.LockedFile{File: file, Content: page}}
	if l.Beside, err = filesOf(o.Recipe); err != nil || b.Engine == nil {
		return l, err
	}
	image, err := b.image(ctx)
	l.Layers = image.Layers
	return l, err
}

// Image returns the recipe's builder image. It builds the image if the engine does not
// have it.
func Image(ctx context.Context, o SourceOptions) (engine.Image, error) {
	if o.Engine == nil {
		return engine.Image{}, ErrNoEngine
	}
	return sourcing(o).image(ctx)
}

// Build makes the packages of a recipe and returns the record that lies beside them.
// After an error the output directory is as it was, but for the log of rpmbuild
// (set.FailedLog), and for packages that are right but not what the recipe wants
// (set.FailedRPMS).
func Build(ctx context.Context, o Options) (set.Record, error) {
	b, err := building(o)
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
	defer b.closeInput(r.input)
	defer r.topdir.Close()
	contents, changes, err := b.origin(r.input, r.topdir.Preview, out)
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

// SourceRPM makes the recipe's patched SRPM without building its packages. It does so
// in a container, where rpm itself reads the spec. The SRPM is written to the output
// directory under its own name. After an error a folder there has the log, which the
// next run removes.
func SourceRPM(ctx context.Context, o Options) (artifact.RPM, error) {
	dir := o.Output
	o.Output = filepath.Join(dir, "."+o.Recipe.Name+".srpm")
	b, err := building(o)
	if err != nil {
		return artifact.RPM{}, err
	}
	out, err := openOutput(o.Output)
	if err != nil {
		return artifact.RPM{}, err
	}
	defer os.Remove(o.Output) // fails if a log is in it
	defer out.close()
	r, err := b.ready(ctx)
	if err != nil {
		return artifact.RPM{}, err
	}
	defer b.closeInput(r.input)
	defer r.topdir.Close()
	made, err := b.runSource(ctx, r, out)
	if err != nil {
		return artifact.RPM{}, err
	}
	if err := os.Rename(filepath.Join(out.part(set.SRPMS), made.File), filepath.Join(dir, made.File)); err != nil {
		return artifact.RPM{}, &durable.Error{Path: dir, Err: err}
	}
	return *made, out.dropLog()
}

// Rebuild builds a published set again by its lock, which is Options.Lock, puts the
// published signatures on what came out, and compares. published is an output
// directory, a release, or one of its packages. No private key is needed. The error is
// nil if the build succeeded, whatever the comparison found.
func Rebuild(ctx context.Context, o Options, published string) (Rebuilt, error) {
	if o.Engine == nil {
		return Rebuilt{}, ErrNoEngine
	}
	if sameDir(set.DirOf(published), o.Output) {
		return Rebuilt{}, &durable.Error{Path: o.Output, Err: errors.New("the published set is in this directory")}
	}
	var err error
	if o.Recipe, err = withSignatures(o.Recipe, set.DirOf(published)); err != nil {
		return Rebuilt{}, err
	}
	res, err := Build(ctx, o)
	if err != nil {
		return Rebuilt{}, err
	}
	o.Tell.Say(event.Begin, event.Compare, "with %s", published)
	r, err := compareRebuilt(ctx, published, o.Output)
	if err != nil {
		return Rebuilt{}, &event.StepError{Step: event.Compare, Err: err}
	}
	r.PlanID, r.Varied, r.Dir = res.PlanID, res.Varied, o.Output
	o.Tell.Say(event.End, event.Compare, "%s: %s with the published signatures on them", r.Verdict, r.equal())
	return r, nil
}

// build is one run of a function of this package.
type build struct {
	Options
	objects int64 // object files compiled so far
	// key or recorded signs the modules, and keyServer answers the container's
	// requests. All are nil if the module key is ephemeral.
	key       *modkey.Key
	recorded  *modkey.Table
	keyServer *modkey.Server
	// leftOut is the recipe's tarball, or empty if it has none.
	leftOut fetch.File
}

// building begins a run that needs an engine.
func building(o Options) (*build, error) {
	if o.Engine == nil {
		return nil, ErrNoEngine
	}
	return &build{Options: o}, nil
}

// planning begins a run that ends with a plan.
func planning(o PlanOptions) *build { return &build{Options: Options{PlanOptions: o}} }

// sourcing begins a run that needs only the source.
func sourcing(o SourceOptions) *build { return planning(PlanOptions{SourceOptions: o}) }

// now returns the real time, in whole seconds, or the zero time if there is no clock.
func (b *build) now() time.Time {
	if b.Now == nil {
		return time.Time{}
	}
	return b.Now().UTC().Truncate(time.Second)
}

// ready is everything that a container is started with.
type ready struct {
	input  fetch.File
	topdir *topdir.Topdir
	image  engine.Image
	plan   plan.Plan
}

// ready brings the source in, patches it, and makes the plan and the image. The caller
// closes the topdir and the input.
func (b *build) ready(ctx context.Context) (r ready, err error) {
	// Failure to remove what earlier runs left on the engine is only a warning.
	b.Tell.Swept(b.Engine.Sweep(ctx))
	if r.input, err = b.input(ctx); err != nil {
		return r, err
	}
	if r.topdir, err = b.topdirOf(r.input).Open(ctx); err != nil {
		b.closeInput(r.input)
		return r, err
	}
	r.plan, err = b.planOf(srpmOf(r.input, r.topdir.Preview), r.input.Waived)
	if err == nil {
		err = b.checkLock(r.plan, nil)
	}
	if err == nil {
		r.image, err = b.lockedImage(ctx, r.plan)
	}
	if err != nil {
		r.topdir.Close()
		b.closeInput(r.input)
	}
	return r, err
}

// topdirOf returns what makes the topdir of a source.
func (b *build) topdirOf(in fetch.File) topdir.Source {
	return topdir.Source{SRPM: in, Tarball: b.leftOut, Recipe: b.Recipe, Store: b.Store, Program: b.Program, NoCache: b.NoCache, Tell: b.Tell}
}
