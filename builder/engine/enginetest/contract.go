// Package enginetest says what an engine must do, and has one that needs no
// Docker: Contract is run over the real engine and over Fake, so that a test
// over the Fake tells something about the real one.
package enginetest

import (
	"context"
	"io"
	"testing"

	"namibuild/builder/engine"
)

// Engine is what *engine.Engine does, with Create's result as an interface.
type Engine interface {
	Info() engine.Info
	EnsureImage(context.Context, engine.ImageSpec, func(engine.ImageProgress)) (engine.Image, error)
	ImportBase(ctx context.Context, name string, root io.Reader) error
	Export(ctx context.Context, s engine.ImageSpec, dir string, progress func(engine.ImageProgress)) error
	Create(context.Context, engine.ContainerSpec) (Container, error)
	Sweep(context.Context) (removed int, err error)
	RemoveImages(context.Context) (n int, err error)
}

// Container is what *engine.Container does.
type Container interface {
	Entropy() engine.Entropy
	Notes() []string
	Upload(ctx context.Context, tar io.Reader) error
	Run(ctx context.Context, log io.Writer) (engine.Exit, error)
	Export(ctx context.Context, name string) (io.ReadCloser, error)
	Read(ctx context.Context, name string, limit int64) ([]byte, error)
	Remove() error
}

// Real makes of the real engine an Engine.
type Real struct{ *engine.Engine }

// Create is the engine's own.
func (r Real) Create(ctx context.Context, s engine.ContainerSpec) (Container, error) {
	c, err := r.Engine.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Subject is one engine under test.
type Subject struct {
	Engine Engine
	// Image can be built; its /probe is the program of package probe, and
	// /known holds "known\n".
	Image engine.ImageSpec
	// Broken has a step that prints "going wrong" and ends with status 7.
	Broken engine.ImageSpec
	// Packed has one file in its last stage: out/packed, "packed\n".
	Packed engine.ImageSpec
	// Topdir is owned by 1000:1000 in Image.
	Topdir string
	// Left names the containers and volumes that are there still.
	Left func(*testing.T) []string
}

// Contract tests an engine. After every case nothing must be left.
func Contract(t *testing.T, open func(*testing.T) Subject) {
	s := open(t)
	cases := []struct {
		name string
		test func(*testing.T, Subject)
	}{
		{"an image is built once", builtOnce},
		{"an image is not built where only held ones are taken", heldOnly},
		{"a failing step is told", brokenImage},
		{"cancel while building", cancelBuild},
		{"files are packed", packed},
		{"nothing is packed by a failing step", packedBroken},
		{"a tar goes in and a tar comes out", success},
		{"the exit status is the result", exitStatus},
		{"the log is whole and in order", wholeLog},
		{"a log that cannot be written ends the run", brokenLog},
		{"a broken upload gives its own error", brokenUpload},
		{"a missing path is told", missingPath},
		{"a path outside the topdir is refused", outsidePath},
		{"a file of the image is read", readFile},
		{"a missing image is told", missingImage},
		{"cancel before and while creating", cancelCreate},
		{"cancel while uploading", cancelUpload},
		{"cancel while running", cancelRun},
		{"cancel while exporting", cancelExport},
		{"remove twice", removeTwice},
		{"remove without running", removeUnused},
		{"a sweep leaves the living alone", sweepLiving},
		{"images are removed", removeImages}, // the last: it takes the image away
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.test(t, s)
			if left := s.Left(t); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}
