//go:build e2e

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"namibuild/builder/set"
)

// TestEndToEndQuickstart runs the README's script and checks with real rpm that its kernel
// packages have the edit in them. It goes on with the kernel that was built.
func TestEndToEndQuickstart(t *testing.T) {
	begin(t)
	out := filepath.Join(t.TempDir(), "demo")
	cmd := exec.Command("../../scripts/quickstart", out)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t)
	checkPackages(t, out)
	checkPlan(t)
	checkProofs(t, out, out+"-stock")
	checkBench(t, out)
	checkBoot(t, out)
	checkRelease(t, out)
}

// checkPackages checks the demo's packages with real rpm.
func checkPackages(t *testing.T, out string) {
	t.Helper()
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
		t.Errorf("the vmlinuz is: %s", config)
	}
}

// checkPlan checks that the demo's plan has the diff of what was built.
func checkPlan(t *testing.T) {
	t.Helper()
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

// buildErrors are builds of the tiny kernel with one thing wrong in each.
var buildErrors = map[string]struct {
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
		want: []string{"net/tcp.c:4:", "TCP_TIMEWAIT", "in %build", "failed.log", "last lines of the log"},
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
	"a name is missing": {
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
		want:   []string{"the recipe wants kernel-debug; with these switches the spec makes kernel\n"},
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

func TestEndToEndErrors(t *testing.T) {
	begin(t)
	for name, test := range buildErrors {
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

// TestEndToEndTiny builds the tiny kernel, and again into the same output directory.
func TestEndToEndTiny(t *testing.T) {
	begin(t)
	recipe := newTiny().write(t)
	out := filepath.Join(t.TempDir(), "out")
	for range 2 {
		if code, stdout, stderr := runCommand(t, "build", recipe, "-o", out); code != 0 {
			t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
		}
	}
	entries, err := os.ReadDir(out)
	var found []string
	for _, e := range entries {
		found = append(found, e.Name())
	}
	if want := []string{set.RPMS, set.RecordFile, set.LogFile, set.BuildRootFile, set.ChangesFile}; err != nil || !slices.Equal(found, want) {
		t.Errorf("in the output directory: %q, %v", found, err)
	}
	if got := output(t, "rpm", "-qpl", filepath.Join(out, "RPMS", "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm")); got != "/boot/timewait\n" {
		t.Errorf("files: %q", got)
	}
	if got := output(t, "sh", "-c", `rpm2cpio "$0" | cpio -i --quiet --to-stdout ./boot/timewait`, filepath.Join(out, "RPMS", "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm")); got != "5\n" {
		t.Errorf("TIME_WAIT is %q", got)
	}
	nothingLeft(t)
}

// TestEndToEndInterrupted presses Ctrl-C, once and twice, in every step.
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

// TestEndToEndKilled shows that the container of a killed run, which cannot clean up, ends
// by itself, and that the next run removes it.
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
