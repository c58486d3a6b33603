// Package builder is how a recipe becomes packages. Build reads as the list of
// its steps; each of them lives in a package of its own, and what they say on
// the way are Events, which the command shows.
package builder

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/engine"
	"namibuild/builder/fetch"
	"namibuild/builder/modkey"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
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

// Options are what one build is made from and where it goes.
type Options struct {
	Recipe recipe.Recipe
	// Images holds the image definitions: Dockerfile.* and images/.
	Images fs.FS
	Store  *fetch.Store
	Engine Engine
	// Output is the directory that gets the packages, the log, the record.
	Output string
	// Jobs is make's -j.
	Jobs int
	// Memory is the container's limit in bytes.
	Memory int64
	// Tmpfs, if not 0, puts the topdir into memory, with this many bytes.
	Tmpfs int64
	// Args are build arguments for the images: mirrors.
	Args map[string]string
	// NoCache runs every step of an image build anew, and takes nothing that an
	// earlier run has kept of a source.
	NoCache bool
	// Offline forbids the network: the source comes from the store or from
	// where it lies, and the engine holds the image already.
	Offline bool
	// InsecureSource takes an SRPM that the recipe's digest or key does not
	// vouch for, if it is whole by its own digests. The plan then says so.
	InsecureSource bool
	// SRPM makes the patched SRPM too.
	SRPM bool
	// Unpinned are the names of pins that the build goes without (plan.Pins).
	Unpinned []string
	// Vary is what must not matter to the packages.
	Vary Vary
	// Version is that of the program, for the record.
	Version string
	// Program identifies the code of the program exactly, as the digest of its
	// executable does and a version, which edited sources share, does not. A run
	// uses what an earlier run has made or found of a source if both have the
	// same Program. If it is empty, nothing of the kind is used or kept.
	Program string
	// Now, if not nil, is the real clock: a record holds when a build began and
	// ended, and nothing else depends on it.
	Now func() time.Time
	// Lock, if there is one, is what the build has to be; a *LockError says that
	// it is not. Release demands one.
	Lock    *plan.Lock
	Release bool
	// SRPMFile, with a Lock, is where the locked SRPM lies on this host, wherever
	// the recipe has it from.
	SRPMFile string
	// Host is the name of this host, which nothing in the packages may show.
	Host string
	// Tell takes the events; calls do not overlap.
	Tell func(Event)
}

// Result is a build that succeeded: everything it was made from and of.
type Result struct {
	PlanID  string       `json:"planID"`
	Plan    plan.Plan    `json:"plan"`
	Image   engine.Image `json:"image"`
	Entropy string       `json:"entropy"`
	Objects int64        `json:"objects"` // object files compiled
	// Signatures is how many signatures of modules were asked of the module key.
	Signatures int64 `json:"moduleSignatures,omitempty"`
	// Varied is what was other than the plan says and must not matter.
	Varied []string `json:"varied,omitempty"`
	// Proof is what a boot of the kernel must show, as the recipe has it.
	Proof recipe.Proof `json:"proof"`
	Run   Run          `json:"run"`
	// Source is the SRPM as it came, Changes what the recipe changed in it (no
	// file: nothing), BuildRoot what the packages were built in.
	Source    source.Contents `json:"source"`
	Changes   Attached        `json:"changes,omitzero"`
	BuildRoot Attached        `json:"buildRoot"`
	// SRPM is the patched one, in SRPMS of the output directory; nil where none
	// was asked for.
	SRPM *artifact.RPM `json:"srpm,omitempty"`
	// Leaks are what the packages show of the moment and the place of the build.
	Leaks []Leaks `json:"leaks"`
	artifact.Set
}

// Build makes the packages of a recipe. On an error nothing of the build is
// left but the log of rpmbuild, as FailedLog in the output directory; what an
// earlier build put there stays as it was.
func Build(ctx context.Context, o Options) (Result, error) {
	b := &build{Options: o}
	if err := b.checkRelease(); err != nil {
		return Result{}, err
	}
	out, err := openOutput(o.Output)
	if err != nil {
		return Result{}, err
	}
	defer out.close()
	run := Run{Namibuild: o.Version, Started: b.now(), Days: o.Vary.Days}
	r, err := b.ready(ctx)
	if err != nil {
		return Result{}, err
	}
	defer r.topdir.Close()
	contents, changes, err := b.origin(r.input, r.topdir.preview, out)
	if err != nil {
		return Result{}, err
	}
	res, err := b.run(ctx, r, out)
	if err != nil {
		return Result{}, err
	}
	run.Finished = b.now()
	res.Run, res.Source, res.Changes = run, contents, changes
	if err := b.keepLock(out); err != nil {
		return Result{}, err
	}
	res.Set, err = out.publish(res.Set, res)
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
	desk     *modkey.Desk
	// tarballFile is where the store has the recipe's tarball; empty: none.
	tarballFile string
}

func (b *build) tell(k Kind, s Step, format string, args ...any) {
	b.Tell(Event{Kind: k, Step: s, Text: fmt.Sprintf(format, args...)})
}

// bytes gives a progress function of a step that counts bytes.
func (b *build) bytes(s Step) func(done, total int64) {
	return func(done, total int64) {
		b.Tell(Event{Kind: Progress, Step: s, Done: done, Total: total, Unit: Bytes})
	}
}

// sweep removes leftovers; that it cannot is no reason not to build.
func (b *build) sweep(ctx context.Context) {
	n, err := b.Engine.Sweep(ctx)
	if err != nil {
		b.tell(Warning, "", "removing what an earlier run left: %v", err)
	} else if n > 0 {
		b.tell(Note, "", "removed %s of an earlier run", count(n, "leftover"))
	}
}

// Prepare brings the recipe's source in and writes the tar of the patched
// topdir, which is what Build sends into the container. It needs no engine
// but for a source that was not packed yet.
func Prepare(ctx context.Context, o Options, w io.WriteSeeker) (source.Preview, error) {
	b := &build{Options: o}
	in, err := b.input(ctx)
	if err != nil {
		return source.Preview{}, err
	}
	return b.patch(ctx, in, w)
}

// patch writes the topdir of an SRPM with the recipe's tag and edits in it.
func (b *build) patch(ctx context.Context, in fetch.File, w io.WriteSeeker) (source.Preview, error) {
	b.tell(Begin, StepPrepare, "%s, tag %q", count(len(b.Recipe.Config)+len(b.Recipe.Patches)+len(b.Recipe.Sources)+len(b.Recipe.Edits), "edit"), b.Recipe.Tag)
	preview, err := source.Prepare(ctx, in.Path, b.local(), w, b.bytes(StepPrepare))
	if err != nil {
		return preview, &StepError{StepPrepare, err}
	}
	b.tellPrepared(preview, "")
	return preview, nil
}

// tellPrepared ends the step with what was done, and how.
func (b *build) tellPrepared(p source.Preview, how string) {
	for _, note := range p.Notes {
		b.tell(Note, StepPrepare, "%s", note)
	}
	for _, warning := range p.Warnings {
		b.tell(Warning, StepPrepare, "%s", warning)
	}
	b.tell(End, StepPrepare, "%s edited, %s changed in %s%s", count(len(p.Changes), "file"), count(len(p.Renames), "name"), p.Package, how)
}

func srpmOf(in fetch.File, p source.Preview) plan.SRPM {
	return plan.SRPM{File: p.Package.Filename(), SHA256: in.SHA256, Epoch: p.Epoch}
}

// planOf gives the plan of this build for a source and what was waived for it.
func (b *build) planOf(srpm plan.SRPM, insecure string) (plan.Plan, error) {
	image, err := plan.DefineImage(b.Images, b.Recipe.Image)
	if err != nil {
		return plan.Plan{}, &StepError{StepImage, err}
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
