package engine

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/moby/buildkit/client"
)

// Export runs a Dockerfile and writes the regular files of its last stage into
// an existing folder, each under its path in the stage. The files appear by
// rename when all of them are complete. The function progress is as in
// EnsureImage. Export returns a *BuildError or *BaseError where that is the cause.
func (e *Engine) Export(ctx context.Context, s ImageSpec, dir string, progress func(ImageProgress)) error {
	s, _, key, err := e.resolve(ctx, s)
	if err != nil {
		return fmt.Errorf("building image %s: %w", s.Name, err)
	}
	temp, err := os.MkdirTemp(dir, ".export-*")
	if err != nil {
		return fmt.Errorf("exporting from image %s: %w", s.Name, err)
	}
	defer os.RemoveAll(temp)
	r, w := io.Pipe()
	unpacked := make(chan error, 1)
	go func() {
		err := unpack(r, temp)
		r.CloseWithError(errors.Join(err, io.ErrClosedPipe))
		unpacked <- err
	}()
	export := client.ExportEntry{
		Type:   client.ExporterTar,
		Output: func(map[string]string) (io.WriteCloser, error) { return w, nil },
	}
	err = e.solve(ctx, s, key, export, progress)
	w.CloseWithError(io.ErrUnexpectedEOF) // no effect after a successful build, which has closed it
	failed := <-unpacked
	if failed != nil && ctx.Err() == nil && (err == nil || !errors.Is(failed, io.ErrUnexpectedEOF)) {
		return fmt.Errorf("exporting from image %s: %w", s.Name, failed)
	}
	if err != nil {
		return err
	}
	return moveInto(temp, dir)
}

// unpack writes the regular files of a tar below dir and reads r to its end.
func unpack(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	archive := tar.NewReader(r)
	for {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			_, err := io.Copy(io.Discard, r)
			return err
		}
		if err != nil {
			return err
		}
		if entry.Typeflag != tar.TypeReg {
			continue
		}
		if err := unpackFile(root, path.Clean(entry.Name), archive); err != nil {
			return err
		}
	}
}

// unpackFile writes one file. The os.Root refuses names outside of it.
func unpackFile(root *os.Root, name string, content io.Reader) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

// moveInto renames every file below temp to the same path below dir.
func moveInto(temp, dir string) error {
	return filepath.WalkDir(temp, func(file string, d os.DirEntry, err error) error {
		if err != nil || file == temp {
			return err
		}
		name, err := filepath.Rel(temp, file)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dir, name), 0o755)
		}
		return os.Rename(file, filepath.Join(dir, name))
	})
}
