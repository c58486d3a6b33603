package enginetest

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest/probe"
)

func builtOnce(t *testing.T, s Subject) {
	var done int
	first, err := s.Engine.EnsureImage(t.Context(), s.Image, func(p engine.ImageProgress) {
		if p.Done && p.Step != "" {
			done++
		}
	})
	if err != nil || !first.Built || done == 0 {
		t.Fatalf("first: %+v, %d steps, %v", first, done, err)
	}
	second, err := s.Engine.EnsureImage(t.Context(), s.Image, func(p engine.ImageProgress) { t.Errorf("built again: %+v", p) })
	if err != nil || second.Built || second.ID != first.ID || second.Ref != first.Ref {
		t.Fatalf("second: %+v, %v; first: %+v", second, err, first)
	}
}

func existingOnly(t *testing.T, s Subject) {
	fresh := s.Image
	fresh.Args, fresh.ExistingOnly = map[string]string{"VARIANT": "not built"}, true
	for range 2 {
		_, err := s.Engine.EnsureImage(t.Context(), fresh, func(p engine.ImageProgress) { t.Errorf("built: %+v", p) })
		if missing := (*engine.NoImageError)(nil); !errors.As(err, &missing) || !strings.Contains(missing.Ref, "/"+fresh.Name+":") {
			t.Fatalf("got %v, want a NoImageError", err)
		}
	}
	if _, err := s.Engine.EnsureImage(t.Context(), s.Image, nil); err != nil {
		t.Fatal(err)
	}
	existing := s.Image
	existing.ExistingOnly = true
	if img, err := s.Engine.EnsureImage(t.Context(), existing, nil); err != nil || img.Built || img.ID == "" {
		t.Fatalf("an existing image: %+v, %v", img, err)
	}
}

func brokenImage(t *testing.T, s Subject) {
	_, err := s.Engine.EnsureImage(t.Context(), s.Broken, nil)
	checkBroken(t, s, err)
}

func checkBroken(t *testing.T, s Subject, err error) {
	t.Helper()
	var broken *engine.BuildError
	if !errors.As(err, &broken) {
		t.Fatalf("got %v, want a BuildError", err)
	}
	if broken.Image != s.Broken.Name || broken.Code != 7 || !strings.Contains(broken.Step, "RUN") || !strings.Contains(broken.Log, "going wrong") {
		t.Fatalf("got %+v", broken)
	}
}

func cancelBuild(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fresh := s.Image
	fresh.Args = map[string]string{"VARIANT": "canceled"}
	if _, err := s.Engine.EnsureImage(ctx, fresh, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func packed(t *testing.T, s Subject) {
	dir := t.TempDir()
	if err := s.Engine.Export(t.Context(), s.Packed, dir, nil); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "out", "packed"))
	if err != nil || string(got) != "packed\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	if all, _ := os.ReadDir(dir); len(all) != 1 {
		t.Fatalf("got %v", all)
	}
}

func packedBroken(t *testing.T, s Subject) {
	dir := t.TempDir()
	checkBroken(t, s, s.Engine.Export(t.Context(), s.Broken, dir, nil))
	if all, _ := os.ReadDir(dir); len(all) != 0 {
		t.Fatalf("left %v", all)
	}
}

// create builds the image and creates a container that runs the probe with args.
func create(t *testing.T, s Subject, args ...string) Container {
	t.Helper()
	c, err := s.Engine.Create(t.Context(), spec(t, s, args...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, c) })
	return c
}

func spec(t *testing.T, s Subject, args ...string) engine.ContainerSpec {
	t.Helper()
	image, err := s.Engine.EnsureImage(t.Context(), s.Image, nil)
	if err != nil {
		t.Fatal(err)
	}
	return engine.ContainerSpec{
		Name: "probe", Image: image.Ref, Command: append([]string{"/probe"}, args...),
		Hostname: "namibuild", User: "1000:1000", Topdir: s.Topdir,
	}
}

func remove(t *testing.T, c Container) {
	t.Helper()
	if err := c.Remove(); err != nil {
		t.Errorf("removing: %v", err)
	}
}

// archive returns a tar of one file that the container's user owns.
func archive(name, content string) *bytes.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Uid: 1000, Gid: 1000})
	_, failed := io.WriteString(w, content)
	if err := errors.Join(err, failed, w.Close()); err != nil {
		panic(err) // the header is invalid; writing to memory does not fail
	}
	return bytes.NewReader(b.Bytes())
}

func success(t *testing.T, s Subject) {
	c := create(t, s, "copy", "in", "out")
	if err := c.Upload(t.Context(), archive("in", "some text")); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	exit, err := c.Run(t.Context(), &log)
	if err != nil || exit != (engine.Exit{}) || log.String() != "copied 9 bytes\n" {
		t.Fatalf("got %+v, %v, log %q", exit, err, log.String())
	}
	out, err := c.Export(t.Context(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	r := tar.NewReader(out)
	entry, err := r.Next()
	if err != nil || entry.Name != "out" || entry.Uid != 1000 {
		t.Fatalf("got %+v, %v", entry, err)
	}
	if got, err := io.ReadAll(r); string(got) != "some text" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	remove(t, c)
}

func exitStatus(t *testing.T, s Subject) {
	c := create(t, s, "exit", "3")
	exit, err := c.Run(t.Context(), io.Discard)
	if err != nil || exit != (engine.Exit{Code: 3}) {
		t.Fatalf("got %+v, %v", exit, err)
	}
	remove(t, c)
}

// completeLog checks every line of a log of 10 MB.
func completeLog(t *testing.T, s Subject) {
	const n = 160_000
	c := create(t, s, "lines", "160000")
	var log bytes.Buffer
	exit, err := c.Run(t.Context(), &log)
	if err != nil || exit != (engine.Exit{}) || log.Len() != 64*n {
		t.Fatalf("got %+v, %v, log of %d bytes", exit, err, log.Len())
	}
	for i := range n {
		if got := string(log.Next(64)); got != probe.Line(i) {
			t.Fatalf("line %d is %q", i, got)
		}
	}
	remove(t, c)
}

// failing is a file that can be neither written nor read.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
func (f failing) Read([]byte) (int, error)  { return 0, f.err }

var errDisk = errors.New("the disk is gone")

func brokenLog(t *testing.T, s Subject) {
	c := create(t, s, "wait")
	if exit, err := c.Run(t.Context(), failing{errDisk}); !errors.Is(err, errDisk) {
		t.Fatalf("got %+v, %v", exit, err)
	}
	remove(t, c)
}

func brokenUpload(t *testing.T, s Subject) {
	c := create(t, s, "exit", "0")
	if err := c.Upload(t.Context(), io.MultiReader(archive("in", "x"), failing{errDisk})); !errors.Is(err, errDisk) {
		t.Fatalf("got %v", err)
	}
	remove(t, c)
}

func missingPath(t *testing.T, s Subject) {
	c := create(t, s, "exit", "0")
	if _, err := c.Run(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Export(t.Context(), "RPMS/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v", err)
	}
	remove(t, c)
}

func outsidePath(t *testing.T, s Subject) {
	c := create(t, s, "exit", "0")
	if _, err := c.Export(t.Context(), "../etc/passwd"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v", err)
	}
	remove(t, c)
}

// readFile reads files of the image before and after a run.
func readFile(t *testing.T, s Subject) {
	c := create(t, s, "exit", "0")
	read := func() {
		if got, err := c.Read(t.Context(), "/known", 6); string(got) != "known\n" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	read()
	if _, err := c.Run(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	read()
	if got, err := c.Read(t.Context(), "/known", 5); err == nil || !strings.Contains(err.Error(), "6 bytes, want at most 5") {
		t.Errorf("too long: got %q, %v", got, err)
	}
	if got, err := c.Read(t.Context(), "/unknown", 6); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: got %q, %v", got, err)
	}
	if got, err := c.Read(t.Context(), "/usr", 6); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder: got %q, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := c.Read(ctx, "/known", 6); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %q, %v", got, err)
	}
	remove(t, c)
}

// entropy checks that a container says where its randomness comes from if it was
// asked to provide some, and nothing otherwise.
func entropy(t *testing.T, s Subject) {
	for _, wanted := range []bool{true, false} {
		with := spec(t, s, "exit", "0")
		with.Entropy = wanted
		c, err := s.Engine.Create(t.Context(), with)
		if err != nil {
			t.Fatal(err)
		}
		if exit, err := c.Run(t.Context(), io.Discard); err != nil || exit.Code != 0 {
			t.Errorf("got %+v, %v", exit, err)
		}
		got := c.Entropy()
		known := slices.Contains([]string{engine.Rngd, engine.Urandom, engine.Kernel}, got.Source)
		if known != wanted || (got.Reason != "") != (known && got.Source != engine.Rngd) {
			t.Errorf("wanted is %v: got %+v", wanted, got)
		}
		remove(t, c)
	}
}

func missingImage(t *testing.T, s Subject) {
	with := spec(t, s, "exit", "0")
	with.Image += "0"
	if _, err := s.Engine.Create(t.Context(), with); err == nil || !strings.Contains(err.Error(), with.Image) {
		t.Fatalf("got %v", err)
	}
}

func removeTwice(t *testing.T, s Subject) {
	c := create(t, s, "exit", "0")
	remove(t, c)
	remove(t, c)
	if _, err := c.Run(t.Context(), io.Discard); err == nil {
		t.Fatal("a removed container ran")
	}
}

func removeUnused(t *testing.T, s Subject) {
	c := create(t, s, "exit", "0")
	if left := s.Left(t); len(left) == 0 {
		t.Fatal("Left does not list a container that exists")
	}
	remove(t, c)
}

func sweepLive(t *testing.T, s Subject) {
	c := create(t, s, "exit", "4")
	if _, err := s.Engine.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if exit, err := c.Run(t.Context(), io.Discard); err != nil || exit.Code != 4 {
		t.Fatalf("got %+v, %v", exit, err)
	}
	if _, err := s.Engine.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Export(t.Context(), "."); err != nil {
		t.Fatalf("the sweep removed a container that has ended but is in use: %v", err)
	}
	remove(t, c)
}

func removeImages(t *testing.T, s Subject) {
	create(t, s, "exit", "0").Remove()
	if n, err := s.Engine.RemoveImages(t.Context()); n == 0 || err != nil {
		t.Fatalf("got %d, %v", n, err)
	}
	if n, err := s.Engine.RemoveImages(t.Context()); n != 0 || err != nil {
		t.Fatalf("got %d, %v", n, err)
	}
	again, err := s.Engine.EnsureImage(t.Context(), s.Image, nil)
	if err != nil || !again.Built {
		t.Fatalf("got %+v, %v", again, err)
	}
	if _, err := s.Engine.RemoveImages(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// soon is how long a call may take to return after its context has ended.
const soon = 20 * time.Second

// timed fails the test if a canceled call takes too long to return.
func timed(t *testing.T, what func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		what()
	}()
	select {
	case <-done:
	case <-time.After(soon):
		t.Errorf("still running %s after the cancel", soon)
		<-done
	}
}
