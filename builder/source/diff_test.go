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

// patched writes the files before the changes to a folder, runs a program there that
// applies the diff, and compares the files with those after the changes.
func patched(t *testing.T, p source.Preview, program string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	for _, c := range p.Changes {
		name := filepath.Join(dir, c.Path)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, c.Before, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(hosttest.Program(t, program), args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(p.Diff())
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s\n%s", program, err, out, p.Diff())
	}
	if strings.Contains(strings.Join(args, " "), "--dry-run") {
		return
	}
	for _, c := range p.Changes {
		got, err := os.ReadFile(filepath.Join(dir, c.Path))
		if err != nil || string(got) != string(c.After) {
			t.Errorf("%s: %s %v: %q", program, c.Path, err, got)
		}
	}
}

// TestDiffApplies applies the diffs with patch and with git apply.
func TestDiffApplies(t *testing.T) {
	stock, err := source.Inspect(t.Context(), at(t, stock(t)), timewait, nil)
	if err != nil {
		t.Fatal(err)
	}
	odd := source.Preview{Changes: []source.Change{
		{Path: "no end of line.c", Before: []byte("a\nb\nc"), After: []byte("a\nB\nc")},
		{Path: "end gone", Before: []byte("a\nb\n"), After: []byte("a\nb")},
		{Path: "latin1", Before: []byte("caf\xe9\n\ttab\n"), After: []byte("caf\xe9s\n\ttab\n")},
		{Path: "from nothing", Before: nil, After: []byte("a\n")},
		{Path: "same", Before: []byte("a\n"), After: []byte("a\n")},
		{Path: "often", Before: []byte(strings.Repeat("x\n1\n2\n3\n4\n5\n6\n7\n8\n", 40)),
			After: []byte(strings.Repeat("y\n1\n2\n3\n4\n5\n6\n7\n8\n", 40))},
	}}
	for name, p := range map[string]source.Preview{"stock": stock, "odd": odd} {
		t.Run(name, func(t *testing.T) {
			patched(t, p, "patch", "-p1", "-f", "--dry-run", "--fuzz=0")
			patched(t, p, "patch", "-p1", "-f", "--fuzz=0")
			patched(t, p, "git", "apply", "-p1")
		})
	}
}
