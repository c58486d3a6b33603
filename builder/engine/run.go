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
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
)

// grace is the number of seconds between SIGTERM and SIGKILL. stopTimeout limits
// the request that does both, so that Run returns within 5 s of the end of its
// context even if the engine does not answer.
const (
	grace       = 2
	stopTimeout = 4500 * time.Millisecond
)

// Exit is how a container's main process ended.
type Exit struct {
	// Code is its exit status, or 128 plus the number of the signal that ended it.
	Code int
	// OOMKilled reports whether the kernel killed a process of the container for
	// lack of memory. The main process may have gone on.
	OOMKilled bool
}

// Upload unpacks a tar into Topdir, with its owners and times. It must be called
// before Run. The tar is compressed on the way to a remote engine. If the reader
// returns an error, Upload returns that; if Topdir is full, the error is
// syscall.ENOSPC. If ctx ends while the reader blocks, the reader may still be in
// use when Upload returns.
func (c *Container) Upload(ctx context.Context, tar io.Reader) error {
	source := &contextReader{ctx: ctx, r: tar}
	var sent io.Reader = source
	if c.engine.remote() {
		packed := gzipped(source)
		defer packed.Close()
		sent = packed
	}
	err := c.engine.client.CopyToContainer(ctx, c.id, c.spec.Topdir, sent, container.CopyToContainerOptions{})
	if failed := source.failure(); failed != nil {
		err = failed
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("uploading to %s: %w", c.spec.Topdir, withENOSPC(err))
	}
	return nil
}

// withENOSPC makes err a syscall.ENOSPC if the engine's text says so.
func withENOSPC(err error) error {
	if strings.Contains(err.Error(), syscall.ENOSPC.Error()) && !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	}
	return err
}

// Run starts the main process and waits until it has ended. Its stdout and stderr
// both go to log, which is not used after the return. If ctx ends, the process
// gets SIGTERM, 2 s later SIGKILL, and Run returns ctx's error within 5 s, whatever
// the process prints. An exit status other than 0 is no error.
func (c *Container) Run(ctx context.Context, log io.Writer) (Exit, error) {
	if err := ctx.Err(); err != nil {
		return Exit{}, err
	}
	p, err := c.engine.launch(ctx, c.id, log)
	if err != nil {
		return Exit{}, fmt.Errorf("running container: %w", err)
	}
	end, err := c.runWithRelay(ctx, p)
	p.release()
	if err != nil {
		return Exit{}, err
	}
	return c.inspect(ctx, end)
}

// runWithRelay follows the process and its relay, and stops the process if the
// relay ends too early.
func (c *Container) runWithRelay(ctx context.Context, p *process) (exitResult, error) {
	with, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	end, err := c.startRelay(with, lose)
	if err != nil {
		lose(err)
		end = func() {}
	}
	defer end()
	result, err := c.follow(with, p)
	if err != nil && ctx.Err() == nil && with.Err() != nil {
		return result, context.Cause(with)
	}
	return result, err
}

// follow waits until the process has ended and all its output is written.
func (c *Container) follow(ctx context.Context, p *process) (exitResult, error) {
	var lost error
	select {
	case <-ctx.Done():
		c.stop(ctx, p)
		<-p.drained
		return exitResult{}, ctx.Err()
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
		return exitResult{}, ctx.Err()
	case end := <-p.exited:
		switch {
		case lost != nil:
			return exitResult{}, fmt.Errorf("writing log: %w", lost)
		case end.err != nil:
			return exitResult{}, fmt.Errorf("running container: %w", end.err)
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

// stop ends the process, by the end of its stdin, SIGTERM and SIGKILL. It returns
// when the process has ended, or after stopTimeout if the engine does not answer;
// Remove then kills the process or reports the error.
func (c *Container) stop(ctx context.Context, p *process) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	_ = p.stream.CloseWrite()
	seconds := grace
	_ = c.engine.client.ContainerStop(ctx, c.id, container.StopOptions{Timeout: &seconds})
	p.release()
}

func (c *Container) inspect(ctx context.Context, end exitResult) (Exit, error) {
	found, err := c.engine.client.ContainerInspect(ctx, c.id)
	if err != nil {
		return Exit{}, fmt.Errorf("inspecting container: %w", err)
	}
	return Exit{Code: end.code, OOMKilled: found.State.OOMKilled}, nil
}

// Export returns a file or folder of Topdir as a tar whose names begin with the
// last element of the path. It must be called after Run. If the path does not
// exist, the error is fs.ErrNotExist. The caller closes the tar.
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

// Read returns a regular file of the image, by its absolute path, of at most
// limit bytes. The main process cannot have changed it, because the root file
// system is read-only. If the path does not exist, the error is fs.ErrNotExist.
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

// onlyFile returns the content of the only file of a tar.
func onlyFile(stream io.Reader, limit int64) ([]byte, error) {
	archive := tar.NewReader(stream)
	entry, err := archive.Next()
	switch {
	case err != nil:
		return nil, err
	case entry.Typeflag != tar.TypeReg:
		return nil, errors.New("it is not a regular file")
	case entry.Size > limit:
		return nil, fmt.Errorf("it has %d bytes, want at most %d", entry.Size, limit)
	}
	return io.ReadAll(archive)
}

// Remove removes the container, its volumes and its sidecar, whether or not they
// run. It may be called more than once, also after Create's context has ended. It
// returns an error if something is left.
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
	if _, err := c.engine.removeRun(ctx, c.run); err != nil {
		return fmt.Errorf("removing container: %w", err)
	}
	c.removed = true
	return nil
}
