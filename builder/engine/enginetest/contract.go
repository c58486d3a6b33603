// Package enginetest has the contract of an engine as a test, and Fake, an engine
// that needs no Docker. Contract is run on the real engine and on Fake, so that a
// test that uses Fake says something about the real one.
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

// Real is the real engine as an Engine.
type Real struct{ *engine.Engine }

// Create calls the real engine's Create.
func (r Real) Create(ctx context.Context, s engine.ContainerSpec) (Container, error) {
	c, err := r.Engine.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Subject is an engine under test, with images for it.
type Subject struct {
	Engine Engine
	// Image can be built. Its /probe is the program of package probe, and /known
	// contains "known\n".
	Image engine.ImageSpec
	// Broken has a step that prints "going wrong" and exits with status 7.
	Broken engine.ImageSpec
	// Packed has one file in its last stage, out/packed, with "packed\n".
	Packed engine.ImageSpec
	// Topdir is a folder of Image that 1000:1000 owns.
	Topdir string
	// Left lists the containers and volumes that still exist.
	Left func(*testing.T) []string
}

// Contract tests an engine, and checks after every case that nothing is left.
func Contract(t *testing.T, open func(*testing.T) Subject) {
	s := open(t)
	cases := []struct {
		name string
		test func(*testing.T, Subject)
	}{
		{"an image is built once", builtOnce},
		{"an image is not built if only existing ones are wanted", existingOnly},
		{"a failing step is reported", brokenImage},
		{"cancel while building", cancelBuild},
		{"files are exported from an image", packed},
		{"nothing is exported if a step fails", packedBroken},
		{"a tar goes in and a tar comes out", success},
		{"the exit status is the result", exitStatus},
		{"the log is complete and in order", completeLog},
		{"a log that cannot be written ends the run", brokenLog},
		{"a failed upload returns the reader's error", brokenUpload},
		{"a missing path is reported", missingPath},
		{"a path outside the topdir is refused", outsidePath},
		{"a file of the image is read", readFile},
		{"a missing image is reported", missingImage},
		{"cancel before and while creating", cancelCreate},
		{"cancel while uploading", cancelUpload},
		{"cancel while running", cancelRun},
		{"cancel while the log is flooded", cancelFlood},
		{"cancel while exporting", cancelExport},
		{"entropy has a source", entropy},
		{"remove twice", removeTwice},
		{"remove without running", removeUnused},
		{"a sweep leaves live containers", sweepLive},
		{"images are removed", removeImages}, // this is last, because it removes the image of the others
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
