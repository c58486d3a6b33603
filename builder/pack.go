package builder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/image"
	"namibuild/builder/plan"
)

// packed returns the SRPM that the recipe's pack folder makes. The store may have it,
// made of the same folder and the same image definition; otherwise it is packed now.
func (b *build) packed(ctx context.Context, verify fetch.Verify) (fetch.File, error) {
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
	f, err := b.pack(ctx, folder, verify)
	if err != nil {
		return fetch.File{}, err
	}
	return f, b.Store.Remember("pack", key, f.SHA256)
}

// pack runs the folder's Dockerfile on top of the builder image and takes the one SRPM
// out of it.
func (b *build) pack(ctx context.Context, folder fs.FS, verify fetch.Verify) (fetch.File, error) {
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
		return fetch.File{}, errors.Join(err, fmt.Errorf("packing %s: its Dockerfile made %d .src.rpm files, want one", b.Recipe.Source.Pack, len(found)))
	}
	f, err := b.Store.Add(found[0], verify)
	if err != nil {
		return fetch.File{}, fmt.Errorf("checking %s: %w", filepath.Base(found[0]), err)
	}
	return f, nil
}

// image returns the builder image, and tells about it.
func (b *build) image(ctx context.Context) (engine.Image, error) {
	b.Tell.Say(event.Begin, event.Image, "%s", b.Recipe.Image)
	img, err := b.ensureImage(ctx, event.Image)
	if err != nil {
		return img, &event.StepError{Step: event.Image, Err: err}
	}
	how := "exists"
	if img.Built {
		how = "built"
	}
	b.Tell.Say(event.End, event.Image, "%s %s", img.Ref, how)
	return img, nil
}

func (b *build) ensureImage(ctx context.Context, step event.Step) (engine.Image, error) {
	return image.Ensure(ctx, b.Engine, image.Request{Name: b.Recipe.Image, Definitions: b.Images, Args: b.Args, NoCache: b.NoCache, ExistingOnly: b.Offline}, step, b.Tell)
}
