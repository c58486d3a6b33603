// Package image makes builder images, the images in which packages are built.
//
// [Ensure] returns the image of a definition, and has the engine build it first if it
// does not exist. [ImportBase] imports the root file system of a distribution whose base
// image no registry has.
package image

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/plan"
)

// Builder is what Ensure needs of an engine.
type Builder interface {
	// EnsureImage returns the image of a definition. It builds the image if the engine
	// does not have it.
	EnsureImage(context.Context, engine.ImageSpec, func(engine.ImageProgress)) (engine.Image, error)
}

// Importer is what ImportBase needs of an engine.
type Importer interface {
	// ImportBase makes the tar file of a root file system the base of an image.
	ImportBase(ctx context.Context, name string, root io.Reader) error
}

// Request says which builder image Ensure makes, and how.
type Request struct {
	Name string
	// Definitions holds Dockerfile.* and images/.
	Definitions fs.FS
	// Args are build arguments, such as mirrors.
	Args map[string]string
	// NoCache runs every step of the build again.
	NoCache bool
	// ExistingOnly takes an image that the engine has, and builds none.
	ExistingOnly bool
}

// Ensure returns a builder image, and builds it if the engine does not have it. The
// progress of the build belongs to a step that the caller begins and ends.
func Ensure(ctx context.Context, b Builder, r Request, step event.Step, tell event.Sink) (engine.Image, error) {
	def, err := plan.DefineImage(r.Definitions, r.Name)
	if err != nil {
		return engine.Image{}, err
	}
	spec := engine.ImageSpec{Name: def.Name, Files: def.Files, Paths: def.Paths, Dockerfile: def.Dockerfile, Args: r.Args, NoCache: r.NoCache, ExistingOnly: r.ExistingOnly}
	return b.EnsureImage(ctx, spec, Progress(step, tell))
}

// ImportBase makes a root file system, packed in a tar file, the base of the image of that
// name. The error is an *event.StepError.
func ImportBase(ctx context.Context, i Importer, name, file string, tell event.Sink) error {
	tell.Say(event.Begin, event.Image, "importing %s", file)
	if err := importBase(ctx, i, name, file, tell); err != nil {
		return &event.StepError{Step: event.Image, Err: err}
	}
	tell.Say(event.End, event.Image, "base of %s imported", name)
	return nil
}

func importBase(ctx context.Context, i Importer, name, file string, tell event.Sink) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	return i.ImportBase(ctx, name, event.NewReader(f, info.Size(), tell.Bytes(event.Image)))
}

// Progress returns a function that turns the progress of an image build into events of a
// step.
func Progress(step event.Step, tell event.Sink) func(engine.ImageProgress) {
	return func(p engine.ImageProgress) {
		switch {
		case len(p.Log) > 0:
			for line := range strings.Lines(string(p.Log)) {
				tell.Say(event.Output, step, "%s", strings.TrimSpace(line))
			}
		case p.Total > 0:
			tell.Progress(step, p.Current, p.Total, event.Bytes)
		case !p.Done && !strings.HasPrefix(p.Step, "[internal]"):
			tell.Say(event.Phase, step, "%s", strings.Join(strings.Fields(p.Step), " "))
		}
	}
}
