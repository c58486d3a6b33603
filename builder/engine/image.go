package engine

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// imageName is what may stand for a prefix and an image's name: a part of a
// repository's name without separators that repeat.
var imageName = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)

// ImageSpec says what an image is made of. Equal specs make one image.
type ImageSpec struct {
	// Name is the image's name behind the prefix: debian12.
	Name string
	// Files are what the Dockerfile may COPY: regular files and folders.
	// Of a file's mode only "may be executed" counts; owner and time never do.
	Files fs.FS
	// Paths are the files and folders of Files that count; none: all of them.
	Paths []string
	// Dockerfile is its path in Files; it counts whether or not Paths has it.
	Dockerfile string
	// LocalBase names the image whose local base this one starts from; empty:
	// its own.
	LocalBase string
	// Args are its build arguments. BASE is filled in from a local base.
	Args map[string]string
	// NoCache runs every step anew when the image is built. It makes no other
	// image and does not count in Key.
	NoCache bool
	// HeldOnly takes the image that the engine holds or none: what would have
	// to be built is a *NotHeldError. It does not count in Key either.
	HeldOnly bool
}

// Image is one image that the engine holds.
type Image struct {
	// Ref is <prefix>/<name>:<key>, the key being made of all that went in.
	Ref string `json:"ref"`
	// ID is the engine's digest of the image's configuration.
	ID string `json:"id"`
	// Layers are the digests of its file system, from the base up: unlike the
	// ID they hold no time of an import.
	Layers []string `json:"layers"`
	// Base is what the Dockerfile's ARG BASE came to: a local base with the
	// digest of its layers behind an @, or the Dockerfile's own default.
	Base string `json:"base"`
	// Built: it was not there and was made now.
	Built bool `json:"built"`
}

// ImageProgress is one piece of news from the building of an image.
type ImageProgress struct {
	// Step is the step as the Dockerfile has it; BuildKit's own steps are
	// called [internal] ….
	Step string
	// Current and Total are bytes; Total is 0 where nothing is known.
	Current, Total int64
	// Log is what the step printed since the last time.
	Log []byte
	// Done: the step is over.
	Done bool
}

// EnsureImage makes the image of a spec unless the engine holds it already.
// Where the engine holds <prefix>/base-<name>:local (see LocalBase), the Dockerfile's ARG BASE
// is set to that. Progress may be nil; it is called from one goroutine at a
// time and not after the return. Errors: *BuildError, *BaseError, *NotHeldError.
func (e *Engine) EnsureImage(ctx context.Context, s ImageSpec, progress func(ImageProgress)) (Image, error) {
	s, base, key, err := e.resolve(ctx, s)
	if err != nil {
		return Image{}, fmt.Errorf("building image %s: %w", s.Name, err)
	}
	img := Image{Ref: e.prefix + "/" + s.Name + ":" + key[:20], Base: base}
	if img, err = e.held(ctx, img); err == nil || !cerrdefs.IsNotFound(err) {
		return img, err
	}
	if s.HeldOnly {
		return Image{}, &NotHeldError{img.Ref}
	}
	export := client.ExportEntry{Type: "moby", Attrs: map[string]string{"name": img.Ref}}
	if err := e.solve(ctx, s, key, export, progress); err != nil {
		return Image{}, err
	}
	img.Built = true
	return e.held(ctx, img)
}

// resolve settles the base of a spec and names the whole of it.
func (e *Engine) resolve(ctx context.Context, s ImageSpec) (_ ImageSpec, base, key string, err error) {
	if !imageName.MatchString(s.Name) {
		return s, "", "", fmt.Errorf("image name %q: want lower-case letters, digits, dots, dashes", s.Name)
	}
	if base, err = s.defaultBase(); err != nil {
		return s, "", "", err
	}
	if given, ok := s.Args["BASE"]; ok {
		base = given
	} else if base != "" {
		ref := e.localBase(cmp.Or(s.LocalBase, s.Name))
		switch layers, err := e.layers(ctx, ref); {
		case err == nil:
			s.Args = with(s.Args, "BASE", ref)
			base = ref + "@" + layers
		case !cerrdefs.IsNotFound(err):
			return s, "", "", err
		}
	}
	key, err = s.Key(base)
	return s, base, key, err
}

// with is a copy of args that holds one more.
func with(args map[string]string, name, value string) map[string]string {
	more := maps.Clone(args)
	if more == nil {
		more = map[string]string{}
	}
	more[name] = value
	return more
}

// defaultBase is the value of the Dockerfile's global `ARG BASE=…`, empty
// where there is none.
func (s ImageSpec) defaultBase() (string, error) {
	f, err := s.Files.Open(s.Dockerfile)
	if err != nil {
		return "", fmt.Errorf("reading Dockerfile: %w", err)
	}
	defer f.Close()
	tree, err := parser.Parse(f)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", s.Dockerfile, err)
	}
	_, global, err := instructions.Parse(tree.AST, nil)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", s.Dockerfile, err)
	}
	for _, command := range global {
		for _, arg := range command.Args {
			if arg.Key == "BASE" && arg.Value != nil {
				return *arg.Value, nil
			}
		}
	}
	return "", nil
}

// held fills in what the engine knows of an image.
func (e *Engine) held(ctx context.Context, img Image) (Image, error) {
	found, err := e.client.ImageInspect(ctx, img.Ref)
	if err != nil {
		return img, fmt.Errorf("inspecting image: %w", err)
	}
	img.ID, img.Layers = found.ID, found.RootFS.Layers
	return img, nil
}

// layers names the file system of an image: unlike its ID it does not hold
// the time of an import.
func (e *Engine) layers(ctx context.Context, ref string) (string, error) {
	found, err := e.client.ImageInspect(ctx, ref)
	if err != nil {
		return "", fmt.Errorf("inspecting image: %w", err)
	}
	return strings.Join(found.RootFS.Layers, "+"), nil
}

// RemoveImages removes every image of the prefix, local bases included, and
// says how many names went. An image that a container uses stays: that is an
// error, after the others have gone.
func (e *Engine) RemoveImages(ctx context.Context) (n int, err error) {
	found, err := e.client.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", e.prefix+"/*"))})
	if err != nil {
		return 0, fmt.Errorf("listing images: %w", err)
	}
	var failed error
	for _, img := range found {
		for _, ref := range img.RepoTags {
			if !strings.HasPrefix(ref, e.prefix+"/") {
				continue
			}
			_, err := e.client.ImageRemove(ctx, ref, image.RemoveOptions{PruneChildren: true})
			switch {
			case err == nil:
				n++
			case !cerrdefs.IsNotFound(err):
				failed = fmt.Errorf("removing image %s: %w", ref, err)
			}
		}
	}
	return n, failed
}
