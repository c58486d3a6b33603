package source_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"namibuild/builder/hosttest"
	"namibuild/builder/source"
)

// el6 is the usual SRPM in the form of the other families.
var el6 = kin{"el6", "kernel", "2.6.32", "431.3.1.el6", ".el6", stockDir, nil, "431.3.1.namibuild.el6"}

// TestRpmspecAgrees checks that real rpm reads the same in a spec of each family,
// before and after the tag: name, version, release, and the name of the tarball.
func TestRpmspecAgrees(t *testing.T) {
	for _, k := range append(slices.Clone(kins), el6) {
		t.Run(k.name, func(t *testing.T) {
			spec, srpm := stockSpec(t), stock(t)
			if k.name != el6.name {
				spec = k.spec(t)
				srpm = k.srpm(t, spec)
			}
			preview, err := source.Inspect(t.Context(), at(t, srpm), timewait, nil)
			if err != nil {
				t.Fatal(err)
			}
			tarball := preview.Tarball
			k.ask(t, spec, preview.Package.Release, tarball)
			for _, r := range preview.Renames {
				if r.What == "tarball" {
					tarball = r.To
				}
			}
			k.ask(t, string(preview.Changes[0].After), k.tagged, tarball)
		})
	}
}

// ask checks what rpm reads in a spec.
func (k kin) ask(t *testing.T, spec, release, tarball string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kernel.spec")
	if err := os.WriteFile(file, []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	const query = "%{name} %{version} %{release}\n[%{source}\n]"
	cmd := exec.Command(hosttest.Program(t, "rpmspec"), "-q", "--srpm", "--target", "x86_64", "--define", "dist "+k.dist, "--qf", query, file)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(out), "\n")
	if want := k.pkg + " " + k.version + " " + release; lines[0] != want {
		t.Errorf("rpm reads %s, want %s", lines[0], want)
	}
	isTarball := func(s string) bool { return path.Base(s) == tarball }
	if !slices.ContainsFunc(lines[1:], isTarball) {
		t.Errorf("rpm finds no %s among %q", tarball, lines[1:])
	}
}
