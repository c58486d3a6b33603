package engine_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"namibuild/builder/engine"
)

// once calls a function at every output.
type once struct {
	mu   sync.Mutex
	seen bytes.Buffer
	call func()
}

func (o *once) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.call()
	return o.seen.Write(p)
}

// probeSpec returns the spec of a container that runs the probe.
func probeSpec(t *testing.T, e *engine.Engine, args ...string) engine.ContainerSpec {
	t.Helper()
	return specOf(t, e, image("probe", testDockerfile), args...)
}

func specOf(t *testing.T, e *engine.Engine, s engine.ImageSpec, args ...string) engine.ContainerSpec {
	t.Helper()
	built, err := e.EnsureImage(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return engine.ContainerSpec{
		Image: built.Ref, Command: append([]string{"/probe"}, args...),
		Hostname: "namibuild", User: "1000:1000", Topdir: "/topdir",
	}
}

// outcome is the result of a run.
type outcome struct {
	exit engine.Exit
	err  error
	log  string
}

// start runs a container in the background and returns after its first output.
func start(t *testing.T, e *engine.Engine, s engine.ContainerSpec) <-chan outcome {
	t.Helper()
	c, err := e.Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustRemove(t, c) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	first := make(chan struct{})
	log := &once{call: sync.OnceFunc(func() { close(first) })}
	done := make(chan outcome, 1)
	go func() {
		defer cancel()
		exit, err := c.Run(ctx, log)
		done <- outcome{exit, err, log.seen.String()}
	}()
	select {
	case <-first:
	case got := <-done:
		done <- got
	}
	return done
}

// run runs a container to its end, removes it, and checks that nothing is left.
func run(t *testing.T, e *engine.Engine, s engine.ContainerSpec) (outcome, *engine.Container) {
	t.Helper()
	c, err := e.Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	exit, err := c.Run(t.Context(), &log)
	mustRemove(t, c)
	if names := left(t, engine.Label(e)); len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
	return outcome{exit, err, log.String()}, c
}

func mustRemove(t *testing.T, c *engine.Container) {
	t.Helper()
	if err := c.Remove(); err != nil {
		t.Errorf("removing: %v", err)
	}
}

// TestSandbox checks what the main process sees of its sandbox.
func TestSandbox(t *testing.T) {
	e, _ := connect(t)
	got, _ := run(t, e, probeSpec(t, e, "sandbox"))
	want := `user 1000:1000
host namibuild
domain (none)
resolver nameserver 127.0.0.1, options ndots:1
core 0
nofile 4096
links 1
CapEff 0000000000000000
CapBnd 0000000000000000
NoNewPrivs 1
write / read-only file system
write /tmp <nil>
write /topdir <nil>
`
	if got.log != want || got.err != nil {
		t.Fatalf("got %s%v, want %s", got.log, got.err, want)
	}
}

func TestOutOfMemory(t *testing.T) {
	e, _ := connect(t)
	s := probeSpec(t, e, "eat")
	s.Memory = 32 << 20
	got, c := run(t, e, s)
	if want := (outcome{exit: engine.Exit{Code: 137, OOMKilled: true}}); got != want {
		t.Fatalf("got %+v, want %+v; notes: %q", got, want, c.Notes())
	}
}

func TestTopdirFull(t *testing.T) {
	e, _ := connect(t)
	s := probeSpec(t, e, "fill")
	s.TopdirSize = 8 << 20
	got, _ := run(t, e, s)
	if want := (outcome{exit: engine.Exit{Code: 28}, log: "write /topdir/fill: no space left on device\n"}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

// TestTmpfsTopdir checks that a tmpfs keeps its files from before the start until
// after the end of the main process.
func TestTmpfsTopdir(t *testing.T) {
	e, _ := connect(t)
	s := probeSpec(t, e, "copy", "in", "out")
	s.TopdirSize = 8 << 20
	c, err := e.Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer mustRemove(t, c)
	if err := c.Upload(t.Context(), tarOf("in", "kept")); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if exit, err := c.Run(t.Context(), &log); exit.Code != 0 || err != nil || log.String() != "copied 4 bytes\n" {
		t.Fatalf("got %+v, %v, %s", exit, err, log.String())
	}
	out, err := c.Export(t.Context(), "out")
	if err != nil {
		t.Fatal(err)
	}
	out.Close()
	if err := c.Upload(t.Context(), tarOf("big", strings.Repeat("x", 9<<20))); !errors.Is(err, errFull) {
		t.Fatalf("got %v, want %v", err, errFull)
	}
}

// TestStubborn checks that a program that ignores stdin and SIGTERM is killed when
// the context ends.
func TestStubborn(t *testing.T) {
	e, _ := connect(t)
	c, err := e.Create(t.Context(), probeSpec(t, e, "stubborn"))
	if err != nil {
		t.Fatal(err)
	}
	defer mustRemove(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := c.Run(ctx, &once{call: cancel}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	for _, name := range left(t, engine.Label(e)) {
		if strings.Contains(name, " Up ") {
			t.Fatalf("still runs: %q", name)
		}
	}
}

func TestLimits(t *testing.T) {
	e, _ := connect(t)
	s := probeSpec(t, e, "exit", "0")
	s.Memory, s.Pids, s.CPUs = 256<<20, 512, 0.5
	got, c := run(t, e, s)
	if got.exit.Code != 0 || got.err != nil {
		t.Fatalf("got %+v, notes %q", got, c.Notes())
	}
	t.Logf("notes: %q", c.Notes())
}
