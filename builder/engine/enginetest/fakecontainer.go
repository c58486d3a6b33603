package enginetest

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing/fstest"

	"namibuild/builder/engine"
)

// Process is the argument of a Fake's Program.
type Process struct {
	Spec engine.ContainerSpec
	// Stdin ends when the program is to end.
	Stdin io.Reader
	// Log is both stdout and stderr.
	Log io.Writer
	// Topdir holds the uploaded files by path. What the program adds can be
	// exported.
	Topdir fstest.MapFS
}

type fakeContainer struct {
	fake *Fake
	spec engine.ContainerSpec
	name string

	mu      sync.Mutex
	topdir  fstest.MapFS
	ran     bool
	removed bool
}

func (c *fakeContainer) Entropy() engine.Entropy {
	if !c.spec.Entropy {
		return engine.Entropy{}
	}
	return c.fake.Entropy
}

func (c *fakeContainer) Notes() []string { return c.fake.Notes }

// ready returns the fake's error for the step, or an error if the container is
// removed.
func (c *fakeContainer) ready(ctx context.Context, s Step) error {
	if err := c.fake.ready(ctx, s); err != nil {
		return err
	}
	if c.removed {
		return fmt.Errorf("%s: no such container", c.name)
	}
	return nil
}

// bounded is a reader that fails when its context has ended.
type bounded struct {
	ctx context.Context
	r   io.Reader
}

func (b bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.r.Read(p)
}

func (bounded) Close() error { return nil }

func (c *fakeContainer) Upload(ctx context.Context, archive io.Reader) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ready(ctx, Upload); err != nil {
		return err
	}
	if c.topdir == nil {
		c.topdir = fstest.MapFS{}
	}
	source := bounded{ctx, archive}
	r := tar.NewReader(source)
	for {
		entry, err := r.Next()
		if errors.Is(err, io.EOF) {
			_, err := io.Copy(io.Discard, source) // the rest may be an error
			return err
		}
		var data []byte
		if err == nil {
			data, err = io.ReadAll(r)
		}
		if err != nil {
			return fmt.Errorf("uploading to %s: %w", c.spec.Topdir, err)
		}
		info := entry.FileInfo()
		c.topdir[path.Clean(entry.Name)] = &fstest.MapFile{Data: data, Mode: info.Mode(), ModTime: info.ModTime()}
	}
}

// checked is a log that ends the run if it cannot be written, and that cannot be
// written after the run's context has ended.
type checked struct {
	ctx  context.Context
	w    io.Writer
	end  context.CancelFunc
	lost error
}

func (l *checked) Write(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := l.w.Write(p)
	if err != nil {
		l.lost = err
		l.end()
	}
	return n, err
}

func (c *fakeContainer) Run(ctx context.Context, log io.Writer) (engine.Exit, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ready(ctx, Run); err != nil {
		return engine.Exit{}, err
	}
	if c.ran {
		return engine.Exit{}, fmt.Errorf("%s: it has already run", c.name)
	}
	c.ran = true
	if c.topdir == nil {
		c.topdir = fstest.MapFS{}
	}
	if c.fake.Program == nil {
		return engine.Exit{}, nil
	}
	inside, end := context.WithCancel(ctx)
	defer end()
	stdin, driver := io.Pipe()
	context.AfterFunc(inside, func() { driver.Close() })
	out := &checked{ctx: ctx, w: log, end: end}
	exit := c.fake.Program(inside, &Process{Spec: c.spec, Stdin: stdin, Log: out, Topdir: c.topdir})
	switch {
	case ctx.Err() != nil:
		return engine.Exit{}, ctx.Err()
	case out.lost != nil:
		return engine.Exit{}, fmt.Errorf("writing log: %w", out.lost)
	}
	return exit, nil
}

func (c *fakeContainer) Export(ctx context.Context, name string) (io.ReadCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ready(ctx, Export); err != nil {
		return nil, err
	}
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("exporting %s: want a path below %s", name, c.spec.Topdir)
	}
	name = path.Clean(name)
	if _, err := fs.Stat(c.topdir, name); err != nil && name != "." {
		return nil, fmt.Errorf("exporting %s: %w", name, fs.ErrNotExist)
	}
	return bounded{ctx, c.archive(name)}, nil
}

func (c *fakeContainer) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ready(ctx, Read); err != nil {
		return nil, err
	}
	data, ok := c.fake.Root[name]
	switch {
	case !ok && slices.ContainsFunc(slices.Collect(maps.Keys(c.fake.Root)), func(file string) bool { return strings.HasPrefix(file, name+"/") }):
		return nil, fmt.Errorf("reading %s of the image: it is not a regular file", name)
	case !ok:
		return nil, fmt.Errorf("reading %s of the image: %w", name, fs.ErrNotExist)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("reading %s of the image: it has %d bytes, want at most %d", name, len(data), limit)
	}
	return slices.Clone(data), nil
}

// archive returns a tar of the files at and below a path. Their names begin with
// the path's last element, and the user of a builder image owns them.
func (c *fakeContainer) archive(name string) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	base := path.Base(path.Join(c.spec.Topdir, name))
	for _, file := range slices.Sorted(maps.Keys(c.topdir)) {
		rest, below := below(file, name)
		f := c.topdir[file]
		if !below || f.Mode.IsDir() {
			continue
		}
		// Writing to memory with the right size does not fail.
		_ = w.WriteHeader(&tar.Header{
			Name: path.Join(base, rest), Mode: 0o644, Size: int64(len(f.Data)), ModTime: f.ModTime, Uid: 1000, Gid: 1000,
		})
		_, _ = w.Write(f.Data)
	}
	_ = w.Close()
	return &b
}

// below returns a file's path relative to a folder, and whether it is below it. A
// file is below itself.
func below(file, dir string) (rest string, ok bool) {
	if dir == "." || file == dir {
		return strings.TrimPrefix(file, dir), true
	}
	return strings.CutPrefix(file, dir+"/")
}

func (c *fakeContainer) Remove() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.fake.Fail[Remove]; err != nil {
		return err
	}
	c.removed = true
	c.fake.drop(c.name)
	return nil
}
