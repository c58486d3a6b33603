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

// driverMark is an environment variable that makes the test binary a driver,
// which the test kills. Its value is the image's prefix and reference.
const driverMark = "NAMIBUILD_TEST_DRIVER"

// driver runs a container as a build does, until the test kills it.
func driver() int {
	ctx := context.Background()
	prefix, ref, _ := strings.Cut(os.Getenv(driverMark), " ")
	e, err := engine.Connect(ctx, engine.Options{Prefix: prefix, Entropy: "rngd"})
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
	fmt.Println(exit, err) // not reached if the test passes
	return 1
}

// startDriver starts a driver and waits until its container runs.
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

// running counts the running containers with a label.
func running(t *testing.T, label string) (n int) {
	for _, name := range left(t, label) {
		if strings.Contains(name, " Up ") {
			n++
		}
	}
	return n
}

// TestKilledDriver checks that the containers of a killed driver end because their
// stdin does, that the next sweep removes them, and that a sweep leaves those of
// a live driver.
func TestKilledDriver(t *testing.T) {
	e, prefix := connect(t)
	built, err := e.EnsureImage(t.Context(), image("probe", testDockerfile), nil)
	if err != nil {
		t.Fatal(err)
	}
	victim, label := startDriver(t, prefix, built.Ref)
	if n := running(t, label); n < 2 {
		t.Fatalf("%d containers run, want the main container and the keeper: %q", n, left(t, label))
	}
	if _, err := e.Sweep(t.Context()); err != nil || running(t, label) < 2 {
		t.Fatalf("sweep with a live driver: %v, left %q", err, left(t, label))
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

// TestSweepEndsRunning checks that a sweep removes a running container of a dead
// driver.
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

// TestSweepLeavesOtherHosts checks that a sweep leaves what runs and what has just
// ended if its driver is on another host.
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
