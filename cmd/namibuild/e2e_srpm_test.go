//go:build e2e

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEndToEndSRPM shows that build and prepare make the same patched SRPM, that rpm and
// rpmlint find nothing wrong with it, and that rpmbuild makes the same package of it.
func TestEndToEndSRPM(t *testing.T) {
	begin(t)
	const name, rpm = "kernel-2.6.32-431.3.1.namibuild.el6.src.rpm", "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"
	k, dir := newTiny(), t.TempDir()
	k.spec = strings.Replace(k.spec, "License:", "URL: http://example.com/\nGroup: System Environment/Kernel\nPackager: A Test <test@example.com>\nLicense:", 1) +
		"%changelog\n* Mon Jan 06 2014 A Test <test@example.com> - 2.6.32-431.3.1.namibuild\n- made\n"
	recipe := k.write(t)
	out := filepath.Join(dir, "out")
	for _, args := range [][]string{{"build", recipe, "--srpm", "-o", out}, {"prepare", recipe, "--srpm", "-o", dir}} {
		if code, stdout, stderr := runCommand(t, args...); code != 0 || !strings.Contains(stdout, name) {
			t.Fatalf("%s: exit %d\n%s%s", args[0], code, stdout, stderr)
		}
	}
	nothingLeft(t)
	if left := output(t, "ls", "-A", dir); left != name+"\nout\n" {
		t.Errorf("beside the SRPM: %s", left)
	}
	srpm := filepath.Join(dir, name)
	if !bytes.Equal(read(t, srpm), read(t, filepath.Join(out, "SRPMS", name))) {
		t.Error("build and prepare make different SRPMs")
	}
	if got := output(t, "rpm", "-K", srpm); got != srpm+": digests OK\n" {
		t.Error(got)
	}
	if got := output(t, "rpm", "-qp", "--qf", "%{release} %{buildtime} %{buildhost} %{payloadcompressor}", srpm); got != "431.3.1.namibuild.el6 1389000000 namibuild gzip" {
		t.Error(got)
	}
	if got := errorsOf(t, srpm); got != "kernel.src: E: no-signature\n" { // a release signs
		t.Errorf("rpmlint: %s", got)
	}

	by := filepath.Join(dir, "by hand")
	output(t, "sh", "-c", `mkdir "$0" && cd "$0" && rpm2cpio "$1" | cpio -idm --quiet && tar -xjf linux-*.tar.bz2`, by, srpm)

	top := filepath.Join(dir, "elsewhere")
	output(t, "rpmbuild", "--rebuild", "--nodeps", "--quiet", "--define", "_topdir "+top, srpm)
	const query = "[%{=name}-%{=version}-%{=release} %{filenames} %{filemodes} %{filedigests}\n]"
	ours := output(t, "rpm", "-qp", "--qf", query, filepath.Join(out, "RPMS", rpm))
	if theirs := output(t, "rpm", "-qp", "--qf", query, filepath.Join(top, "RPMS", "x86_64", rpm)); ours != theirs || !strings.Contains(ours, "/boot/timewait") {
		t.Errorf("ours   %s\ntheirs %s", ours, theirs)
	}
}

// errorsOf returns rpmlint's errors, without its warnings.
func errorsOf(t *testing.T, file string) string {
	t.Helper()
	return output(t, "sh", "-c", `rpmlint "$0" | grep ": E: "`, file)
}

// TestEndToEndSRPMFails shows that a failure leaves a log and no SRPM.
func TestEndToEndSRPMFails(t *testing.T) {
	begin(t)
	k, dir := newTiny(), t.TempDir()
	k.spec = strings.ReplaceAll(k.spec, "License: GPLv2\n", "")
	code, _, stderr := runCommand(t, "prepare", k.write(t), "--srpm", "-o", dir)
	if code != exitRpmbuild || !strings.Contains(stderr, "License") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if left := output(t, "find", dir, "-type", "f"); left != filepath.Join(dir, ".tiny.srpm", "failed.log")+"\n" {
		t.Errorf("left: %s", left)
	}
	nothingLeft(t)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
