package engine_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"namibuild/builder/engine"
)

// driverMark in the environment makes of the test's binary a driver that is
// going to be killed; its value is the image's prefix and ref.
const driverMark = "NAMIBUILD_TEST_DRIVER"

// driver runs a container as a build does, until somebody kills it.
func driver() int {
	ctx := context.Background()
	prefix, ref, _ := strings.Cut(os.Getenv(driverMark), " ")
	e, err := engine.Connect(ctx, engine.Options{Prefix: prefix})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	c, err := e.Create(ctx, engine.ContainerSpec{
		Image: ref, Command: []string{"/probe", "wait"}, User: "1000:1000",
		Topdir: "/topdir", TopdirSize: 16 << 20, Entropy: true,
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(engine.ThisProcess())
	exit, err := c.Run(ctx, os.Stdout)
	fmt.Println(exit, err) // not reached by a test that goes well
	return 1
}

// startDriver starts one and waits until its container runs.
func startDriver(t *testing.T, prefix, ref string) (process *exec.Cmd, label string) {
	t.Helper()
	d := exec.Command(os.Args[0])
	d.Env = append(os.Environ(), driverMark+"="+prefix+" "+ref)
	out, err := d.StdoutPipe()
	if err == nil {
		err = d.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Process.Kill(); _, _ = io.Copy(io.Discard, out); _ = d.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "waiting" {
			return d, "namibuild.owner=" + label
		}
		label = lines.Text()
	}
	t.Fatalf("the driver ended early: %s", label)
	return nil, ""
}

// running counts the containers of a label that run.
func running(t *testing.T, label string) (n int) {
	for _, name := range left(t, label) {
		if strings.Contains(name, " Up ") {
			n++
		}
	}
	return n
}

// A killed driver's containers end by themselves, because their stdin does,
// and the next sweep removes what is left of them; a live driver's stay.
func TestKilledDriver(t *testing.T) {
	e, prefix := connect(t)
	built, err := e.EnsureImage(t.Context(), image("probe", testDockerfile), nil)
	if err != nil {
		t.Fatal(err)
	}
	victim, label := startDriver(t, prefix, built.Ref)
	if n := running(t, label); n < 2 {
		t.Fatalf("%d containers run, want build and keeper: %q", n, left(t, label))
	}
	if _, err := e.Sweep(t.Context()); err != nil || running(t, label) < 2 {
		t.Fatalf("sweep of a live driver: %v, left %q", err, left(t, label))
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	for deadline := time.After(10 * time.Second); running(t, label) > 0; {
		select {
		case <-deadline:
			t.Fatalf("still running without a driver: %q", left(t, label))
		case <-time.After(100 * time.Millisecond):
		}
	}
	if n, err := e.Sweep(t.Context()); err != nil || n == 0 {
		t.Fatalf("sweep removed %d, %v", n, err)
	}
	if names := left(t, label); len(names) > 0 {
		t.Fatalf("left behind: %q", names)
	}
}

// A dead driver's container that does not end is ended by the sweep.
func TestSweepEndsRunning(t *testing.T) {
	e, _ := connect(t)
	done := start(t, engine.Dead(e), probeSpec(t, e, "sleep"))
	if n, err := e.Sweep(t.Context()); err != nil || n != 2 {
		t.Fatalf("sweep removed %d, %v, want container and volume", n, err)
	}
	if got := <-done; got.err == nil && got.exit.Code != 137 {
		t.Fatalf("got %+v", got)
	}
	if names := left(t, engine.Label(engine.Dead(e))); len(names) > 0 {
		t.Fatalf("left behind: %q", names)
	}
}

// Of a driver on another host nothing is known: what runs and what has just
// ended stays.
func TestSweepLeavesOtherHosts(t *testing.T) {
	e, _ := connect(t)
	other := engine.Elsewhere(e)
	s := probeSpec(t, e, "wait")
	ctx, cancel := context.WithCancel(t.Context())
	c, err := other.Create(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustRemove(t, c) })
	for _, run := range []func(){
		func() {},
		func() { _, _ = c.Run(ctx, &once{call: cancel}) },
	} {
		run()
		if n, err := e.Sweep(t.Context()); err != nil || n != 0 {
			t.Fatalf("sweep removed %d, %v", n, err)
		}
	}
	if names := left(t, engine.Label(other)); len(names) != 2 {
		t.Fatalf("want container and volume, got %q", names)
	}
}
