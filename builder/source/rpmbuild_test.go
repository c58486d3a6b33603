package source_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/hosttest"
	"namibuild/builder/source"
)

// TestRpmbuild runs the real %prep on the topdir. It must find everything under its
// new name, in a tarball that is called .tar.bz2 but is not compressed.
func TestRpmbuild(t *testing.T) {
	srpm := stock(t)
	out, dir := scratch(t), t.TempDir()
	if _, err := source.Prepare(t.Context(), at(t, srpm), timewait, out, nil); err != nil {
		t.Fatal(err)
	}
	run(t, "tar", "-C", dir, "-xf", out.Name(), "--no-same-owner")
	run(t, "rpmbuild", "-bp", "--nodeps", "--target", "x86_64", "--define", "_topdir "+dir, "--define", "dist .el6",
		filepath.Join(dir, "SPECS/kernel.spec"))
	tree := filepath.Join(dir, "BUILD/kernel-2.6.32-431.3.1.namibuild.el6/linux-2.6.32-431.3.1.namibuild.el6.x86_64")
	for name, want := range map[string]string{
		"include/net/tcp.h": "#define TCP_TIMEWAIT_LEN (5*HZ)",
		"Makefile":          "\nEXTRAVERSION = -431.3.1.namibuild.el6.x86_64\n",
		"LICENSE":           "GPLv2\n",
	} {
		text, err := os.ReadFile(filepath.Join(tree, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// TestRpmbuildWants shows that TestRpmbuild can fail: %prep fails if one of the names
// that must agree has not changed.
func TestRpmbuildWants(t *testing.T) {
	out, dir := scratch(t), t.TempDir()
	if _, err := source.Prepare(t.Context(), at(t, stock(t)), timewait, out, nil); err != nil {
		t.Fatal(err)
	}
	run(t, "tar", "-C", dir, "-xf", out.Name(), "--no-same-owner")
	spec := filepath.Join(dir, "SPECS/kernel.spec")
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "kversion 2.6.32-431.3.1.namibuild.el6", "kversion 2.6.32-431.3.1.el6", 1))
	if err := os.WriteFile(spec, text, 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := exec.Command(hosttest.Program(t, "rpmbuild"), "-bp", "--nodeps", "--define", "_topdir "+dir, "--define", "dist .el6", spec).CombinedOutput()
	if err == nil || !strings.Contains(string(log), "linux-2.6.32-431.3.1.el6") {
		t.Errorf("%v\n%s", err, log)
	}
}

func run(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(hosttest.Program(t, program), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}
