//go:build e2e

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
)

// The tests of the e2e_ files run the real command with a real engine. scripts/test sets
// the image prefix and the store, so that nothing of an earlier run helps.

// binary is the path of the command under test, which TestMain builds.
var binary string

func TestMain(m *testing.M) {
	if os.Getenv("NAMIBUILD_IMAGE_PREFIX") == "" || os.Getenv("NAMIBUILD_STORE") == "" {
		println("e2e: run ./scripts/test; it sets NAMIBUILD_IMAGE_PREFIX and NAMIBUILD_STORE")
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "namibuild-e2e-*")
	if err == nil {
		binary = filepath.Join(dir, "namibuild")
		cmd := exec.Command("go", "build", "-o", binary, ".")
		cmd.Stderr = os.Stderr
		err = cmd.Run()
	}
	if err != nil {
		println("e2e: " + err.Error())
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// output runs a program of the host, such as rpm, and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out)
}

// runCommand runs the command to its end.
func runCommand(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// others are the IDs of containers and volumes of other builds on this engine.
var others []string

// begin records the containers and volumes that do not belong to the test.
func begin(t *testing.T) {
	others = nil
	for _, s := range leftovers(t) {
		others = append(others, strings.Fields(s)[1])
	}
}

// nothingLeft fails the test if a container or a volume of the test is left on the engine.
func nothingLeft(t *testing.T) {
	t.Helper()
	for _, s := range leftovers(t) {
		t.Errorf("left on the engine: %s", s)
	}
}

func leftovers(t *testing.T) []string {
	t.Helper()
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ours := filters.NewArgs(filters.Arg("label", "namibuild.owner"))
	containers, err := c.ContainerList(context.Background(), container.ListOptions{All: true, Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	volumes, err := c.VolumeList(context.Background(), volume.ListOptions{Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, x := range containers {
		all = append(all, "container "+x.ID[:12]+" "+strings.Join(x.Names, " ")+" "+x.State)
	}
	for _, v := range volumes.Volumes {
		all = append(all, "volume "+v.Name)
	}
	return slices.DeleteFunc(all, func(s string) bool { return slices.Contains(others, strings.Fields(s)[1]) })
}

// started is a command that runs, with its events as they come.
type started struct {
	*exec.Cmd
	events *bufio.Scanner
	stderr bytes.Buffer
}

func start(t *testing.T, args ...string) *started {
	t.Helper()
	s := &started{Cmd: exec.Command(binary, append(args, "--json")...)}
	s.Stderr = &s.stderr
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.events = bufio.NewScanner(out)
	s.events.Buffer(nil, 1<<20)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// until reads events up to one of that kind and step.
func (s *started) until(t *testing.T, kind, step string) {
	t.Helper()
	var seen []string
	for s.events.Scan() {
		var e struct{ Event, Step string }
		if err := json.Unmarshal(s.events.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", s.events.Bytes(), err)
		}
		seen = append(seen, s.events.Text())
		if e.Event == kind && e.Step == step {
			return
		}
	}
	t.Fatalf("no %s of %s in\n%s\n%s", kind, step, strings.Join(seen, "\n"), s.stderr.String())
}

func (s *started) end(t *testing.T) int {
	t.Helper()
	for s.events.Scan() {
	}
	if err := s.Wait(); err != nil && s.ProcessState == nil {
		t.Fatal(err)
	}
	return s.ProcessState.ExitCode()
}
