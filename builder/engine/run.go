package engine

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
)

// grace is how many seconds a main process has between SIGTERM and SIGKILL.
const grace = 5

// Exit is how a container's main process ended.
type Exit struct {
	// Code is its exit status; 128 and the signal's number where one ended it.
	Code int
	// OOMKilled: the kernel ended something in the container for want of
	// memory; the main process may have gone on.
	OOMKilled bool
}

// Upload unpacks a tar into Topdir, owners and times as the tar has them. It
// comes before Run. On the way to a remote engine the tar is compressed, which
// the container does not see. An error of the tar's reader is the error of Upload; a
// full Topdir is syscall.ENOSPC. When ctx ends while the reader blocks, the
// reader may still be in use after the return.
func (c *Container) Upload(ctx context.Context, tar io.Reader) error {
	source := &gate{ctx: ctx, r: tar}
	var sent io.Reader = source
	if c.engine.remote() {
		packed := squeezed(source)
		defer packed.Close()
		sent = packed
	}
	err := c.engine.client.CopyToContainer(ctx, c.id, c.spec.Topdir, sent, container.CopyToContainerOptions{})
	if failed := source.fault(); failed != nil {
		err = failed
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("uploading to %s: %w", c.spec.Topdir, full(err))
	}
	return nil
}

// full makes of an engine's words the error that they stand for.
func full(err error) error {
	if strings.Contains(err.Error(), syscall.ENOSPC.Error()) && !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	}
	return err
}

// Run starts the main process and waits for its end. Its output goes to log,
// stdout and stderr in one; log is not used after the return. When ctx ends
// the process is told to end, then killed, and the error is ctx's. A non-zero
// exit status is no error.
func (c *Container) Run(ctx context.Context, log io.Writer) (Exit, error) {
	if err := ctx.Err(); err != nil {
		return Exit{}, err
	}
	p, err := c.engine.launch(ctx, c.id, log)
	if err != nil {
		return Exit{}, fmt.Errorf("running container: %w", err)
	}
	end, err := c.accompanied(ctx, p)
	p.release()
	if err != nil {
		return Exit{}, err
	}
	return c.inspect(ctx, end)
}

// accompanied follows the process with what runs beside it; when that is lost,
// the process is stopped.
func (c *Container) accompanied(ctx context.Context, p *process) (ended, error) {
	with, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	over, err := c.serve(with, lose)
	if err != nil {
		lose(err)
		over = func() {}
	}
	defer over()
	end, err := c.follow(with, p)
	if err != nil && ctx.Err() == nil && with.Err() != nil {
		return end, context.Cause(with)
	}
	return end, err
}

// follow waits until the process has ended and its output is written.
func (c *Container) follow(ctx context.Context, p *process) (ended, error) {
	var lost error
	select {
	case <-ctx.Done():
		c.stop(ctx, p)
		<-p.drained
		return ended{}, ctx.Err()
	case err := <-p.drained:
		if lost = err; lost != nil {
			c.stop(ctx, p)
		}
	case end := <-p.exited:
		p.exited <- end
		lost = c.drain(ctx, p)
	}
	select {
	case <-ctx.Done():
		c.stop(ctx, p)
		return ended{}, ctx.Err()
	case end := <-p.exited:
		switch {
		case lost != nil:
			return ended{}, fmt.Errorf("writing log: %w", lost)
		case end.err != nil:
			return ended{}, fmt.Errorf("running container: %w", end.err)
		}
		return end, nil
	}
}

// drain waits for the last output of a process that has ended.
func (c *Container) drain(ctx context.Context, p *process) error {
	select {
	case err := <-p.drained:
		return err
	case <-ctx.Done():
		p.release()
		return <-p.drained
	}
}

// stop ends the process: its stdin, SIGTERM, SIGKILL. It returns when the
// process is gone or the engine cannot be asked; Remove has the last word.
func (c *Container) stop(ctx context.Context, p *process) {
	ctx, cancel := whole(ctx)
	defer cancel()
	_ = p.stream.CloseWrite()
	seconds := grace
	_ = c.engine.client.ContainerStop(ctx, c.id, container.StopOptions{Timeout: &seconds})
	p.release()
}

func (c *Container) inspect(ctx context.Context, end ended) (Exit, error) {
	found, err := c.engine.client.ContainerInspect(ctx, c.id)
	if err != nil {
		return Exit{}, fmt.Errorf("inspecting container: %w", err)
	}
	return Exit{Code: end.code, OOMKilled: found.State.OOMKilled}, nil
}

// Export gives a file or folder of Topdir as a tar whose names start with the
// path's last element. It comes after Run. A path that is not there is
// fs.ErrNotExist. The caller closes the tar.
func (c *Container) Export(ctx context.Context, name string) (io.ReadCloser, error) {
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("exporting %s: want a path below %s", name, c.spec.Topdir)
	}
	tar, _, err := c.engine.client.CopyFromContainer(ctx, c.id, path.Join(c.spec.Topdir, name))
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, ctx.Err()
	case cerrdefs.IsNotFound(err):
		return nil, fmt.Errorf("exporting %s: %w: %w", name, fs.ErrNotExist, err)
	case err != nil:
		return nil, fmt.Errorf("exporting %s: %w", name, err)
	}
	return tar, nil
}

// Read gives a regular file of the image, by its absolute path, of at most limit
// bytes. The build cannot have changed it: the root file system is read-only.
// A path that is not there is fs.ErrNotExist.
func (c *Container) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	stream, _, err := c.engine.client.CopyFromContainer(ctx, c.id, name)
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, ctx.Err()
	case cerrdefs.IsNotFound(err):
		return nil, fmt.Errorf("reading %s of the image: %w: %w", name, fs.ErrNotExist, err)
	case err != nil:
		return nil, fmt.Errorf("reading %s of the image: %w", name, err)
	}
	defer stream.Close()
	data, err := onlyFile(stream, limit)
	if err != nil {
		return nil, fmt.Errorf("reading %s of the image: %w", name, err)
	}
	return data, nil
}

// onlyFile is the content of the one file of a tar.
func onlyFile(stream io.Reader, limit int64) ([]byte, error) {
	archive := tar.NewReader(stream)
	entry, err := archive.Next()
	switch {
	case err != nil:
		return nil, err
	case entry.Typeflag != tar.TypeReg:
		return nil, errors.New("it is no regular file")
	case entry.Size > limit:
		return nil, fmt.Errorf("it has %d bytes, want at most %d", entry.Size, limit)
	}
	return io.ReadAll(archive)
}

// Remove takes away the container, its volumes and its sidecar, running or
// not. It may be called more than once and needs no live context. An error
// says that something is left.
func (c *Container) Remove() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.removed {
		return nil
	}
	for _, p := range c.helpers {
		p.release()
	}
	c.helpers = nil
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	if _, err := c.engine.clear(ctx, c.run); err != nil {
		return fmt.Errorf("removing container: %w", err)
	}
	c.removed = true
	return nil
}
