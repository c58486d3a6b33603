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
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
)

// These tests run the real command against the real engine. scripts/test sets
// the image prefix and the store, so that nothing from earlier helps.

// binary is the command under test, made by TestMain.
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

// output runs a program of the host, such as rpm, and gives what it prints.
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

// others are the ids of containers and volumes of other builds on this engine.
var others []string

// begin notes what is none of the test's.
func begin(t *testing.T) {
	others = nil
	for _, s := range leftovers(t) {
		others = append(others, strings.Fields(s)[1])
	}
}

// nothingLeft fails the test when the engine holds a container or a volume of
// ours.
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

// The claim of the README: one script, and there are kernel packages with the
// edit in them, by real rpm's judgement.
func TestEndToEndQuickstart(t *testing.T) {
	begin(t)
	out := filepath.Join(t.TempDir(), "demo")
	cmd := exec.Command("../../scripts/quickstart", out)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t)
	rpms := func(name string) string {
		found, err := filepath.Glob(filepath.Join(out, "RPMS", name))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", name, found, err)
		}
		return found[0]
	}
	kernel := rpms("kernel-6.*.x86_64.rpm")
	if got := output(t, "rpm", "-qp", "--qf", "%{name} %{release}", kernel); got != "kernel 1.namibuild.demo" {
		t.Errorf("the kernel package is %q", got)
	}
	release := output(t, "rpm", "-qp", "--qf", "%{version}-%{release}.%{arch}", kernel)
	if got := output(t, "rpm", "-qpl", kernel); !strings.Contains(got, "/boot/vmlinuz-"+release+"\n") {
		t.Errorf("no vmlinuz-%s in\n%s", release, got)
	}
	header := output(t, "sh", "-c", `rpm2cpio "$0" | cpio -i --quiet --to-stdout "*/include/net/tcp.h"`, rpms("kernel-devel-*.rpm"))
	if !strings.Contains(header, "#define TCP_TIMEWAIT_LEN (5*HZ)") || strings.Contains(header, "(60*HZ) /* how long to wait to destroy TIME-WAIT") {
		t.Error("include/net/tcp.h of kernel-devel does not have the edit")
	}
	for _, p := range []string{kernel, rpms("kernel-devel-*.rpm"), rpms("kernel-headers-*.rpm"), rpms("kernel-firmware-*.rpm")} {
		output(t, "rpm", "-K", "--nosignature", p)
	}
	config := output(t, "sh", "-c", `rpm2cpio "$0" | cpio -i --quiet --to-stdout "./boot/vmlinuz*" | file -b -`, kernel)
	if !strings.Contains(config, release) || !strings.Contains(config, "bzImage") {
		t.Errorf("the vmlinuz says of itself: %s", config)
	}

	code, plan, stderr := runCommand(t, "plan", "demo")
	if code != 0 {
		t.Fatalf("plan: exit %d\n%s", code, stderr)
	}
	for _, want := range []string{
		"\n-#define TCP_TIMEWAIT_LEN (60*HZ)", "\n+#define TCP_TIMEWAIT_LEN (5*HZ)",
		"\n-%define distro_build 1\n+%define distro_build 1.namibuild\n",
		"\n-EXTRAVERSION =\n+EXTRAVERSION = -1.namibuild.demo\n",
	} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan lacks %q", want)
		}
	}
}

// Each case is the tiny kernel with one thing wrong.
func TestEndToEndErrors(t *testing.T) {
	begin(t)
	tests := map[string]struct {
		change func(*tiny)
		args   []string
		code   int
		want   []string // in stderr
	}{
		"compiler": {
			change: func(k *tiny) {
				k.edits = []edit{{"net/tcp.c", "return TCP_TIMEWAIT_LEN;", "return TCP_TIMEWAIT;"}}
			},
			code: exitRpmbuild,
			want: []string{"net/tcp.c:4:", "TCP_TIMEWAIT", "in %build", "failed.log", "the end of the log"},
		},
		"no match": {
			change: func(k *tiny) { k.edits = []edit{{"include/net/tcp.h", "#define TCP_TIMEWAIT_LEN (61*HZ)", "(5*HZ)"}} },
			code:   exitEdit,
			want:   []string{"include/net/tcp.h", "60*HZ"},
		},
		"two matches": {
			change: func(k *tiny) { k.edits = []edit{{"include/net/tcp.h", "HZ", "ZH"}} },
			code:   exitEdit,
			want:   []string{"include/net/tcp.h", "2"},
		},
		"a knob is missing": {
			change: func(k *tiny) { k.spec = strings.ReplaceAll(k.spec, "%define distro_build", "%define distro_bild") },
			code:   exitEdit,
			want:   []string{"distro_build"},
		},
		"truncated": {
			change: func(k *tiny) { k.mangle = func(b []byte) []byte { return b[:len(b)-100] } },
			code:   exitSource,
			want:   []string{"truncated"},
		},
		"one bit": {
			change: func(k *tiny) { k.mangle = func(b []byte) []byte { b[len(b)-200] ^= 1; return b } },
			code:   exitSource,
			want:   []string{"sha256 got"},
		},
		"package that is not made": {
			change: func(k *tiny) { k.packages = append(k.packages, "kernel-debug") },
			code:   exitOutput,
			want:   []string{"kernel-debug", "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"},
		},
		"disk full": {
			change: func(k *tiny) { k.build = "dd if=/dev/zero of=big bs=1M count=100" },
			args:   []string{"--tmpfs", "16M"},
			code:   exitDisk,
			want:   []string{"No space left on device", "disk"},
		},
		"out of memory": {
			change: func(k *tiny) { k.build = `perl -e '$x = "x" x (1<<30)'` },
			args:   []string{"--memory", "64M"},
			code:   exitRpmbuild,
			want:   []string{"memory limit", "--memory"},
		},
		"base image": {
			args: []string{"--image-arg", "BASE=127.0.0.1:1/none"},
			code: exitBase,
			want: []string{"127.0.0.1:1/none", "quickstart"},
		},
		"output is a file": {
			args: []string{"-o", "/dev/null/out"},
			code: exitOutput,
			want: []string{"/dev/null/out"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			k := newTiny()
			if test.change != nil {
				test.change(&k)
			}
			out := filepath.Join(t.TempDir(), "out")
			args := append([]string{"build", k.write(t), "-o", out}, test.args...)
			code, _, stderr := runCommand(t, args...)
			if code != test.code {
				t.Errorf("exit %d, want %d", code, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("standard error lacks %q", want)
				}
			}
			if t.Failed() {
				t.Logf("standard error:\n%s", stderr)
			}
			if found, _ := filepath.Glob(filepath.Join(out, "*")); len(found) > 1 || len(found) == 1 && filepath.Base(found[0]) != "failed.log" {
				t.Errorf("left in the output directory: %v", found)
			}
			nothingLeft(t)
		})
	}
}

func TestEndToEndEngineNotReachable(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	code, _, stderr := runCommand(t, "build", "demo")
	if code != exitEngine || !strings.Contains(stderr, "hint: is Docker running?") || strings.Count(stderr, "\n") != 2 {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}

// The tiny kernel builds, and builds again over its own output.
func TestEndToEndTiny(t *testing.T) {
	begin(t)
	recipe := newTiny().write(t)
	out := filepath.Join(t.TempDir(), "out")
	for range 2 {
		if code, stdout, stderr := runCommand(t, "build", recipe, "-o", out); code != 0 {
			t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
		}
	}
	found, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(found) != 3 {
		t.Errorf("in the output directory: %v, %v", found, err)
	}
	if got := output(t, "rpm", "-qpl", filepath.Join(out, "RPMS", "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm")); got != "/boot/timewait\n" {
		t.Errorf("files: %q", got)
	}
	if got := output(t, "sh", "-c", `rpm2cpio "$0" | cpio -i --quiet --to-stdout ./boot/timewait`, filepath.Join(out, "RPMS", "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm")); got != "5\n" {
		t.Errorf("TIME_WAIT is %q", got)
	}
	nothingLeft(t)
}

// started is a build that runs, and its events as they come.
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

// until reads events until one of the kind and step comes.
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

// Ctrl-C, once and twice, at every step.
func TestEndToEndInterrupted(t *testing.T) {
	begin(t)
	slow := newTiny()
	slow.build = "echo started; sleep 300"
	recipe := slow.write(t)
	for _, step := range []string{"source", "prepare", "image", "container", "upload", "rpmbuild"} {
		for _, twice := range []bool{false, true} {
			name := step
			if twice {
				name += ", twice"
			}
			t.Run(name, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "out")
				s := start(t, "build", recipe, "-o", out)
				s.until(t, "begin", step)
				if step == "rpmbuild" {
					s.until(t, "phase", step)
				}
				s.Process.Signal(os.Interrupt)
				if twice {
					time.Sleep(50 * time.Millisecond)
					s.Process.Signal(os.Interrupt)
				}
				if code := s.end(t); code != exitInterrupted {
					t.Errorf("exit %d\n%s", code, s.stderr.String())
				}
				nothingLeft(t)
				if _, err := os.Stat(filepath.Join(out, "RPMS")); err == nil {
					t.Error("packages were left")
				}
			})
		}
	}
}

// A driver that is killed cannot clean up: its container ends by itself, and
// the next run removes it.
func TestEndToEndKilled(t *testing.T) {
	begin(t)
	slow := newTiny()
	slow.build = "echo started; sleep 300"
	out := filepath.Join(t.TempDir(), "out")
	s := start(t, "build", slow.write(t), "-o", out)
	s.until(t, "phase", "rpmbuild")
	if err := s.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.end(t)
	deadline := time.Now().Add(30 * time.Second)
	for running(leftovers(t)) {
		if time.Now().After(deadline) {
			t.Fatalf("still running: %v", leftovers(t))
		}
		time.Sleep(200 * time.Millisecond)
	}
	if code, stdout, stderr := runCommand(t, "build", newTiny().write(t), "-o", out); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	nothingLeft(t)
}

func running(left []string) bool {
	for _, s := range left {
		if strings.HasSuffix(s, " running") {
			return true
		}
	}
	return false
}
