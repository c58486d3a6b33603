//go:build e2e

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/plan"
)

// TestEndToEndRebuild builds a published set again: on another file system and with other
// jobs, without the key that has signed it. The result is the published set byte for byte.
// Builds without a pin differ, and compare says why.
func TestEndToEndRebuild(t *testing.T) {
	begin(t)
	dir := t.TempDir()
	page := probe().write(t)
	set, srpm := filepath.Join(dir, "set"), filepath.Join(filepath.Dir(page), "kernel.src.rpm")
	run := func(want int, args ...string) string {
		t.Helper()
		code, stdout, stderr := runCommand(t, args...)
		if code != want {
			t.Fatalf("%s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, want, stdout, stderr)
		}
		return stdout
	}
	run(0, "lock", page, "--jobs", "2")
	run(0, "build", page, "--release", "-o", set)
	key := filepath.Join(dir, "key")
	run(0, "key", "new", "Kernels <kernels@example.org>", "-o", key, "--no-passphrase")
	signed := filepath.Join(dir, "signed")
	run(0, "sign", set, "-o", signed, "--key", key+".key")
	if err := errors.Join(os.Remove(key+".key"), os.Rename(filepath.Join(set, "tiny.lock"), filepath.Join(signed, "tiny.lock"))); err != nil {
		t.Fatal(err)
	}
	if got := run(0, "rebuild", signed, "--source", srpm, "-o", filepath.Join(dir, "again"), "--vary", "shuffle,cpus=0,jobs=1,tmpfs=64M,date=-30"); !strings.Contains(got, "is the published file") ||
		!strings.Contains(got, "signatures left out: ") || !strings.Contains(got, "varied: shuffle, cpus=0, jobs=1, tmpfs=67108864, date=-30") {
		t.Errorf("rebuild says\n%s", got)
	}
	rpm := filepath.Join(signed, "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm")
	run(0, "rebuild", rpm, "--source", srpm, "-o", filepath.Join(dir, "again"))

	for pins, cause := range map[string]string{"clock": "clock", "order": "order", "mtimes,rpm": "mtime", "gzip": "gzip", "kbuild,clock": "clock",
		"buildhost": "host", "rpm,clock": "clock"} {
		pin, _, _ := strings.Cut(pins, ",")
		loose := filepath.Join(dir, pin)
		run(0, "build", page, "--no-lock", "--jobs", "2", "-o", loose, "--unpin", pins, "--vary", "shuffle")
		got := run(20, "compare", filepath.Join(dir, "again"), loose)
		if !strings.Contains(got, "\n  "+cause+" ") || !strings.Contains(got, "    in the plans  "+plan.PinFact+pin+": on") {
			t.Errorf("without the pin %s compare says\n%s", pin, got)
		}
	}
	nothingLeft(t)
}

// TestEndToEndRebuildSignedModules builds a set with signed modules again, with their
// signatures and without their key.
func TestEndToEndRebuildSignedModules(t *testing.T) {
	begin(t)
	dir := t.TempDir()
	key, set := filepath.Join(dir, "my.key"), filepath.Join(dir, "set")
	page := signing(t, signSpec, "{persistent: "+key+"}", ":")
	for _, args := range [][]string{{"modkey", "new", key}, {"lock", page, "--jobs", "2"}, {"build", page, "-o", set}} {
		if code, stdout, stderr := runCommand(t, args...); code != 0 {
			t.Fatalf("%s: exit %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
		}
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runCommand(t, "rebuild", set, "--source", filepath.Join(filepath.Dir(page), "kernel.src.rpm"), "-o", filepath.Join(dir, "again"), "--vary", "jobs=1")
	if code != 0 || !strings.Contains(stdout, "is the published file") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	nothingLeft(t)
}
