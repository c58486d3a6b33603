package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"

	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/image"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
)

// Input brings the recipe's SRPM in, checked: from where it lies, from the
// network, or packed in a container. It is the first step of Build.
func Input(ctx context.Context, o SourceOptions) (fetch.File, error) {
	return sourcing(o).input(ctx)
}

// NotPackedError says that a packed source is wanted and must not be packed now.
type NotPackedError struct{ Recipe string }

func (e *NotPackedError) Error() string {
	return "the source of " + e.Recipe + " is packed in a container and was not packed yet"
}

func (b *build) input(ctx context.Context) (fetch.File, error) {
	src := b.Recipe.Source
	b.Tell.Say(event.Begin, event.Source, "%s", sourceName(src))
	judge, err := b.judge(src)
	if err != nil {
		return fetch.File{}, &event.StepError{Step: event.Source, Err: err}
	}
	var f fetch.File
	switch {
	case b.SRPMFile != "" && b.Lock != nil:
		f, err = b.given()
	case src.Pack != "":
		f, err = b.packed(ctx, judge)
	default:
		f, err = b.fetch(ctx, judge)
	}
	if err != nil {
		return fetch.File{}, &event.StepError{Step: event.Source, Err: err}
	}
	if f.Waived != "" {
		b.Tell.Say(event.Warning, event.Source, "the source is taken although %s", f.Waived)
	}
	from := ""
	if f.Cached {
		from = ", from the store"
	}
	b.Tell.Say(event.End, event.Source, "%s, sha256 %.12s…%s", sourceName(src), f.SHA256, from)
	return f, b.tarball(ctx)
}

// given is the locked SRPM where it lies: its digest is all that counts.
func (b *build) given() (fetch.File, error) {
	f, err := fetch.Check(b.SRPMFile, b.Lock.Plan.SRPM.SHA256, nil)
	if err != nil {
		return f, fmt.Errorf("checking %s: %w", path.Base(b.SRPMFile), err)
	}
	return f, nil
}

func (b *build) fetch(ctx context.Context, judge fetch.Verify) (fetch.File, error) {
	src := b.Recipe.Source
	in := fetch.Input{
		URL: src.URL, Mirrors: src.Mirrors, File: src.File, SHA256: src.SHA256, Verify: judge, Offline: b.Offline,
		Warn: func(text string) { b.Tell.Say(event.Warning, event.Source, "%s", text) },
	}
	if b.InsecureSource {
		in.Waive = waive
	}
	f, err := b.Store.Fetch(ctx, in, b.Tell.Bytes(event.Source))
	if untrusted(err) && !b.InsecureSource {
		err = &UntrustedError{err}
	}
	return f, err
}

func sourceName(s recipe.Source) string {
	if s.Pack != "" {
		return s.Pack + ".src.rpm (packed here)"
	}
	return path.Base(s.URL + filepath.ToSlash(s.File))
}

// tarball brings in what the SRPM leaves out.
func (b *build) tarball(ctx context.Context) error {
	t := b.Recipe.Source.Tarball
	if t.Name() == "" {
		return nil
	}
	b.Tell.Say(event.Begin, event.Source, "%s", t.Name())
	f, err := b.Store.Fetch(ctx, fetch.Input{
		URL: t.URL, File: t.File, SHA256: t.SHA256, Verify: func(io.Reader) error { return nil }, Offline: b.Offline,
		Warn: func(text string) { b.Tell.Say(event.Warning, event.Source, "%s", text) },
	}, b.Tell.Bytes(event.Source))
	if err != nil {
		return &event.StepError{Step: event.Source, Err: err}
	}
	b.tarballFile = f.Path
	b.Tell.Say(event.End, event.Source, "%s, sha256 %.12s…", t.Name(), f.SHA256)
	return nil
}

// local is the recipe with the tarball where it lies on this host.
func (b *build) local() recipe.Recipe {
	r := b.Recipe
	if b.tarballFile != "" {
		t := &r.Source.Tarball
		t.URL, t.File = cmp.Or(t.URL, t.Name()), b.tarballFile // URL keeps the name
	}
	return r
}

// packed gives the SRPM that the recipe's pack folder makes: the one packed
// before from the same folder and image definition, or a new one.
func (b *build) packed(ctx context.Context, judge fetch.Verify) (fetch.File, error) {
	def, err := plan.DefineImage(b.Images, b.Recipe.Image)
	if err != nil {
		return fetch.File{}, err
	}
	folder, err := fs.Sub(b.Recipe.Files(), b.Recipe.Source.Pack)
	if err != nil {
		return fetch.File{}, err
	}
	digest, err := plan.TreeDigest(folder)
	if err != nil {
		return fetch.File{}, fmt.Errorf("reading the pack folder %s: %w", b.Recipe.Source.Pack, err)
	}
	if b.Lock != nil {
		if f, ok := b.Store.Lookup(b.Lock.Plan.SRPM.SHA256); ok {
			return f, nil
		}
	}
	key := def.Digest + digest
	if f, ok := b.Store.Lookup(b.Store.Recall("pack", key)); ok {
		return f, nil
	}
	if b.Offline {
		return fetch.File{}, &fetch.OfflineError{What: "the source of " + b.Recipe.Name + ", which is packed in a container,"}
	}
	if b.Engine == nil {
		return fetch.File{}, &NotPackedError{b.Recipe.Name}
	}
	f, err := b.pack(ctx, folder, judge)
	if err != nil {
		return fetch.File{}, err
	}
	return f, b.Store.Remember("pack", key, f.SHA256)
}

// pack runs the folder's Dockerfile on top of the builder image and takes the
// one SRPM out of it.
func (b *build) pack(ctx context.Context, folder fs.FS, judge fetch.Verify) (fetch.File, error) {
	builder, err := b.ensureImage(ctx, event.Source)
	if err != nil {
		return fetch.File{}, err
	}
	dir, err := b.Store.ScratchDir()
	if err != nil {
		return fetch.File{}, err
	}
	defer dir.Remove()
	spec := engine.ImageSpec{Name: "pack-" + b.Recipe.Name, Files: folder, Dockerfile: "Dockerfile", Args: map[string]string{"BUILDER": builder.Ref}, NoCache: b.NoCache}
	if err := b.Engine.Export(ctx, spec, dir.Path, image.Progress(event.Source, b.Tell)); err != nil {
		return fetch.File{}, err
	}
	found, err := filepath.Glob(filepath.Join(dir.Path, "*.src.rpm"))
	if err != nil || len(found) != 1 {
		return fetch.File{}, errors.Join(err, fmt.Errorf("packing %s: its Dockerfile left %d .src.rpm files; one was expected", b.Recipe.Source.Pack, len(found)))
	}
	if _, err := fetch.Check(found[0], "", judge); err != nil {
		return fetch.File{}, fmt.Errorf("checking %s: %w", filepath.Base(found[0]), err)
	}
	return b.Store.Add(found[0])
}

// Image gives the recipe's builder image, built if the engine does not hold it.
func Image(ctx context.Context, o SourceOptions) (engine.Image, error) {
	if o.Engine == nil {
		return engine.Image{}, ErrNoEngine
	}
	return sourcing(o).image(ctx)
}

func (b *build) image(ctx context.Context) (engine.Image, error) {
	b.Tell.Say(event.Begin, event.Image, "%s", b.Recipe.Image)
	held, err := b.ensureImage(ctx, event.Image)
	if err != nil {
		return held, &event.StepError{Step: event.Image, Err: err}
	}
	how := "is there"
	if held.Built {
		how = "built"
	}
	b.Tell.Say(event.End, event.Image, "%s %s", held.Ref, how)
	return held, nil
}

func (b *build) ensureImage(ctx context.Context, step event.Step) (engine.Image, error) {
	return image.Ensure(ctx, b.Engine, image.Request{Name: b.Recipe.Image, Definitions: b.Images, Args: b.Args, NoCache: b.NoCache, ExistingOnly: b.Offline}, step, b.Tell)
}
