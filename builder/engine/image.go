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

// imageName matches valid prefixes and image names: a component of a repository
// name, without repeated separators.
var imageName = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)

// ImageSpec describes an image. Equal specs make the same image.
type ImageSpec struct {
	// Name follows the prefix in the image's name, as in debian12.
	Name string
	// Files holds what the Dockerfile may COPY: regular files and folders. Of a
	// file's mode only the executable bit is used; owner and time are not.
	Files fs.FS
	// Paths are the files and folders of Files that are used; if it is empty, all
	// of them are.
	Paths []string
	// Dockerfile is its path in Files; it is used whether or not Paths has it.
	Dockerfile string
	// LocalBase names the image whose local base this one is built on; if it is
	// empty, that is Name.
	LocalBase string
	// Args are the build arguments. BASE is set to the local base if there is one.
	Args map[string]string
	// NoCache runs every step again when the image is built. It is not part of Key.
	NoCache bool
	// ExistingOnly forbids to build the image: if the engine does not have it, that
	// is a *NoImageError. It is not part of Key.
	ExistingOnly bool
}

// Image is an image of the engine.
type Image struct {
	// Ref is <prefix>/<name>:<key>, with the first 20 digits of the spec's Key.
	Ref string `json:"ref"`
	// ID is the engine's digest of the image's configuration.
	ID string `json:"id"`
	// Layers are the digests of its file system, from the base up. Unlike the ID
	// they do not depend on the time of an import.
	Layers []string `json:"layers"`
	// Base is the value of the Dockerfile's ARG BASE: a local base followed by @
	// and the digests of its layers, or the Dockerfile's own default.
	Base string `json:"base"`
	// Built reports whether EnsureImage has built it.
	Built bool `json:"built"`
}

// ImageProgress reports how the build of an image gets on.
type ImageProgress struct {
	// Step is the step as BuildKit names it; the names of its own steps begin with
	// [internal].
	Step string
	// Current and Total are bytes; Total is 0 if it is not known.
	Current, Total int64
	// Log is what the step has printed since the last report.
	Log []byte
	// Done reports whether the step has ended.
	Done bool
}

// EnsureImage builds the image of a spec unless the engine already has it. If the
// engine has <prefix>/base-<name>:local (see LocalBase), the Dockerfile's ARG
// BASE is set to that. The function progress may be nil; it is called by one
// goroutine at a time and not after the return. EnsureImage returns a
// *BuildError, *BaseError or *NoImageError where that is the cause.
func (e *Engine) EnsureImage(ctx context.Context, s ImageSpec, progress func(ImageProgress)) (Image, error) {
	s, base, key, err := e.resolve(ctx, s)
	if err != nil {
		return Image{}, fmt.Errorf("building image %s: %w", s.Name, err)
	}
	img := Image{Ref: e.prefix + "/" + s.Name + ":" + key[:20], Base: base}
	if img, err = e.inspectImage(ctx, img); err == nil || !cerrdefs.IsNotFound(err) {
		return img, err
	}
	if s.ExistingOnly {
		return Image{}, &NoImageError{img.Ref}
	}
	export := client.ExportEntry{Type: "moby", Attrs: map[string]string{"name": img.Ref}}
	if err := e.solve(ctx, s, key, export, progress); err != nil {
		return Image{}, err
	}
	img.Built = true
	return e.inspectImage(ctx, img)
}

// resolve returns the spec with its BASE argument set, the base, and the key.
func (e *Engine) resolve(ctx context.Context, s ImageSpec) (_ ImageSpec, base, key string, err error) {
	if !imageName.MatchString(s.Name) {
		return s, "", "", fmt.Errorf("image name %q: want lower-case letters, digits, dots and dashes", s.Name)
	}
	if base, err = s.defaultBase(); err != nil {
		return s, "", "", err
	}
	if arg, ok := s.Args["BASE"]; ok {
		base = arg
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

// with returns a copy of args with one more argument.
func with(args map[string]string, name, value string) map[string]string {
	more := maps.Clone(args)
	if more == nil {
		more = map[string]string{}
	}
	more[name] = value
	return more
}

// defaultBase returns the value of the Dockerfile's global `ARG BASE=…`, or ""
// if there is none.
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

// inspectImage returns img with its ID and layers.
func (e *Engine) inspectImage(ctx context.Context, img Image) (Image, error) {
	found, err := e.client.ImageInspect(ctx, img.Ref)
	if err != nil {
		return img, fmt.Errorf("inspecting image: %w", err)
	}
	img.ID, img.Layers = found.ID, found.RootFS.Layers
	return img, nil
}

// layers returns the digests of an image's file system. Unlike its ID they do
// not depend on the time of an import.
func (e *Engine) layers(ctx context.Context, ref string) (string, error) {
	found, err := e.client.ImageInspect(ctx, ref)
	if err != nil {
		return "", fmt.Errorf("inspecting image: %w", err)
	}
	return strings.Join(found.RootFS.Layers, "+"), nil
}

// RemoveImages removes every image of the prefix, local bases included, and
// returns how many names it removed. An image that a container uses is not
// removed; that is an error, which is returned after the others are removed.
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
