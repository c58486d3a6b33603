package hosttest

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recorder notes how a test would have ended.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()           {}
func (r *recorder) Skip(args ...any)  { r.skipped = args[0].(string) }
func (r *recorder) Fatal(args ...any) { r.failed = args[0].(string) }

func TestProgram(t *testing.T) {
	r := &recorder{TB: t}
	if path := Program(r, "go"); path == "" || r.skipped+r.failed != "" {
		t.Errorf("go: path %q, %+v", path, r)
	}
	t.Setenv("PATH", t.TempDir())
	for name, want := range map[string]string{"dnf": "needs dnf (Debian package dnf)", "no-such": "needs no-such"} {
		skipped, failed := "", want
		if testing.Short() {
			skipped, failed = want, ""
		}
		r := &recorder{TB: t}
		if path := Program(r, name); path != "" || r.skipped != skipped || r.failed != failed {
			t.Errorf("%s: path %q, skipped %q, failed %q; want skipped %q, failed %q", name, path, r.skipped, r.failed, skipped, failed)
		}
	}
}

// TestPackages checks that scripts/test installs the packages that Program names.
func TestPackages(t *testing.T) {
	script, err := os.ReadFile("../../scripts/test")
	if err != nil {
		t.Fatal(err)
	}
	installed := strings.Fields(string(script))
	for program, names := range packages {
		for name := range strings.SplitSeq(names, " and ") {
			if !slices.Contains(installed, name) {
				t.Errorf("scripts/test does not install %s, for %s", name, program)
			}
		}
	}
}

// TestNoOtherSkips checks that no test file skips a test without this package, or
// leaves tests out when the race detector is on.
func TestNoOtherSkips(t *testing.T) {
	skip := regexp.MustCompile(`\.Skip(f|Now)?\(|(?m)^//go:build .*\brace\b`)
	files := 0
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "builder/hosttest/") {
			return err
		}
		files++
		text, err := os.ReadFile("../../" + name)
		if found := skip.Find(text); found != nil {
			t.Errorf("%s: %s", name, found)
		}
		return err
	})
	if err != nil || files < 100 {
		t.Errorf("%d files, %v", files, err)
	}
}
