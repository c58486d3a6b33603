package enginetest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"namibuild/builder/engine"
)

// Step is a method of an engine or container that a Fake can be told to fail.
type Step string

// The steps.
const (
	Image  Step = "image"
	Import Step = "import"
	Pack   Step = "pack"
	Create Step = "create"
	Upload Step = "upload"
	Run    Step = "run"
	Export Step = "export"
	Read   Step = "read"
	Remove Step = "remove"
	Sweep  Step = "sweep"
)

// Fake is an engine in memory, whose containers run a Go function. Its fields are
// set before its first use; its methods may be called concurrently.
type Fake struct {
	// Says is the result of Info.
	Says engine.Info
	// Program is the main process of every container. If it is nil, the process
	// exits with 0.
	Program func(context.Context, *Process) engine.Exit
	// Build builds an image, and may report progress. If it is nil, every build
	// succeeds.
	Build func(engine.ImageSpec, func(engine.ImageProgress)) error
	// Files returns the files in the last stage of a spec, for Export. If it is
	// nil, there are none.
	Files func(engine.ImageSpec) (map[string][]byte, error)
	// Root holds the regular files of every image, by absolute path.
	Root map[string][]byte
	// Entropy is the result of Entropy for containers that ask for it.
	Entropy engine.Entropy
	// Notes is the result of every container's Notes.
	Notes []string
	// Stale is what the next Sweep returns.
	Stale int
	// Fail makes every call of a step return its error.
	Fail map[Step]error

	mu     sync.Mutex
	images map[string]engine.Image
	bases  map[string]string
	live   []string
	made   int
	specs  []engine.ContainerSpec
}

// Info returns Says.
func (f *Fake) Info() engine.Info { return f.Says }

// Left returns the names of the containers that are not removed.
func (f *Fake) Left() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.live)
}

// Specs returns the specs of all created containers, in order.
func (f *Fake) Specs() []engine.ContainerSpec {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.specs)
}

// ready returns the error of the context, or the one that Fail has for the step.
func (f *Fake) ready(ctx context.Context, s Step) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.Fail[s]
}

// EnsureImage calls Build unless the image exists.
func (f *Fake) EnsureImage(ctx context.Context, s engine.ImageSpec, progress func(engine.ImageProgress)) (engine.Image, error) {
	if err := f.ready(ctx, Image); err != nil {
		return engine.Image{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	base := f.bases[cmp.Or(s.LocalBase, s.Name)]
	key, err := s.Key(base)
	if err != nil {
		return engine.Image{}, err
	}
	img := engine.Image{Ref: "namibuild/" + s.Name + ":" + key[:20], ID: "sha256:" + key, Layers: []string{"sha256:" + key}, Base: base}
	if _, ok := f.images[img.Ref]; ok {
		return img, nil
	}
	if s.ExistingOnly {
		return engine.Image{}, &engine.NoImageError{Ref: img.Ref}
	}
	if err := f.build(s, progress); err != nil {
		return engine.Image{}, err
	}
	if f.images == nil {
		f.images = map[string]engine.Image{}
	}
	f.images[img.Ref] = img
	img.Built = true
	return img, nil
}

func (f *Fake) build(s engine.ImageSpec, progress func(engine.ImageProgress)) error {
	if progress == nil {
		progress = func(engine.ImageProgress) {}
	}
	progress(engine.ImageProgress{Step: "[1/1] FROM scratch"})
	if f.Build != nil {
		if err := f.Build(s, progress); err != nil {
			return err
		}
	}
	progress(engine.ImageProgress{Step: "[1/1] FROM scratch", Done: true})
	return nil
}

// ImportBase reads the tar and keeps its digest.
func (f *Fake) ImportBase(ctx context.Context, name string, root io.Reader) error {
	if err := f.ready(ctx, Import); err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(h, root); err != nil {
		return fmt.Errorf("importing namibuild/base-%s:local: %w", name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bases == nil {
		f.bases = map[string]string{}
	}
	f.bases[name] = fmt.Sprintf("namibuild/base-%s:local@sha256:%x", name, h.Sum(nil))
	return nil
}

// Export calls Build, then writes Files.
func (f *Fake) Export(ctx context.Context, s engine.ImageSpec, dir string, progress func(engine.ImageProgress)) error {
	if err := f.ready(ctx, Pack); err != nil {
		return err
	}
	if err := f.build(s, progress); err != nil || f.Files == nil {
		return err
	}
	files, err := f.Files(s)
	for name, data := range files {
		file := filepath.Join(dir, name)
		err = errors.Join(err, os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, data, 0o644))
	}
	return err
}

// Create creates a container of an image that EnsureImage has built.
func (f *Fake) Create(ctx context.Context, s engine.ContainerSpec) (Container, error) {
	if err := f.ready(ctx, Create); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.hasImage(s.Image) {
		return nil, fmt.Errorf("creating container: no such image: %s", s.Image)
	}
	f.made++
	c := &fakeContainer{fake: f, spec: s, name: fmt.Sprintf("container %d", f.made)}
	f.live = append(f.live, c.name)
	f.specs = append(f.specs, s)
	return c, nil
}

// hasImage reports whether there is an image with that Ref or ID.
func (f *Fake) hasImage(image string) bool {
	for _, img := range f.images {
		if img.Ref == image || img.ID == image {
			return true
		}
	}
	return false
}

// Sweep returns Stale, and 0 from then on.
func (f *Fake) Sweep(ctx context.Context) (int, error) {
	if err := f.ready(ctx, Sweep); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.Stale
	f.Stale = 0
	return n, nil
}

// RemoveImages removes every image and base.
func (f *Fake) RemoveImages(context.Context) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.images) + len(f.bases)
	f.images, f.bases = nil, nil
	return n, nil
}

// drop removes a container from the list.
func (f *Fake) drop(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = slices.DeleteFunc(f.live, func(n string) bool { return n == name })
}
