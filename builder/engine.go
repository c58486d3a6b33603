package builder

import (
	"context"
	"errors"
	"io"

	"namibuild/builder/engine"
)

// ErrNoEngine reports that a function needs a container and Options.Engine is nil.
var ErrNoEngine = errors.New("no container engine was given")

// Engine is what this package needs of a container engine, and package image too. Over makes
// one of a real engine.
type Engine interface {
	// EnsureImage returns the image of a definition. It builds the image if the
	// engine does not have it.
	EnsureImage(context.Context, engine.ImageSpec, func(engine.ImageProgress)) (engine.Image, error)
	// ImportBase makes the tar of a root file system the base of an image.
	ImportBase(ctx context.Context, name string, root io.Reader) error
	// Export builds a definition and writes the files of its last stage to dir.
	Export(ctx context.Context, spec engine.ImageSpec, dir string, progress func(engine.ImageProgress)) error
	// Create makes a container and its supply of entropy. The container has not
	// started. The caller removes it.
	Create(context.Context, engine.ContainerSpec) (Container, error)
	// Sweep removes what runs that were killed have left, and returns how many
	// things those were.
	Sweep(context.Context) (int, error)
}

// Container is one run: a tar goes in, a process runs to its end, a tar comes out.
type Container interface {
	// Upload unpacks a tar in the topdir.
	Upload(ctx context.Context, tar io.Reader) error
	// Run runs the main process to its end. Its output goes to log.
	Run(ctx context.Context, log io.Writer) (engine.Exit, error)
	// Export returns a folder of the topdir as a tar. The caller closes it.
	Export(ctx context.Context, name string) (io.ReadCloser, error)
	// Read returns a file of the image, which has at most limit bytes.
	Read(ctx context.Context, name string, limit int64) ([]byte, error)
	// Entropy returns where the random numbers come from.
	Entropy() engine.Entropy
	// Notes returns what the engine said when it made the container.
	Notes() []string
	// Remove removes the container and everything that belongs to it. It is called in
	// any case.
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
