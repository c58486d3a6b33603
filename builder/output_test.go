package builder

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"namibuild/builder/artifact"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func fill(t *testing.T, o *output, file string) {
	t.Helper()
	if err := os.MkdirAll(o.path(partRPMS), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.path(partRPMS), file), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := o.log.WriteString("said\n"); err != nil {
		t.Fatal(err)
	}
}

func TestOutput(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "out")
	o := must(openOutput(dir))(t)
	if _, err := openOutput(dir); err == nil {
		t.Fatal("two builds write to one directory")
	}
	fill(t, o, "one.rpm")
	must(o.publish(artifact.Set{}, "record"))(t)
	o.close()
	if got := names(t, dir); !slices.Equal(got, []string{RPMS, RecordJSN, Log}) {
		t.Fatalf("after a build: %v", got)
	}

	o = must(openOutput(dir))(t)
	fill(t, o, "two.rpm")
	o.close() // it failed
	if got := names(t, dir); !slices.Equal(got, []string{RPMS, RecordJSN, Log, FailedLog}) {
		t.Fatalf("after a failure: %v", got)
	}
	if got := names(t, filepath.Join(dir, RPMS)); !slices.Equal(got, []string{"one.rpm"}) {
		t.Fatalf("the earlier packages: %v", got)
	}

	o = must(openOutput(dir))(t)
	fill(t, o, "three.rpm")
	must(o.publish(artifact.Set{}, "record"))(t)
	o.close()
	if got := names(t, dir); !slices.Equal(got, []string{RPMS, RecordJSN, Log}) {
		t.Fatalf("after the next build: %v", got)
	}
	if got := names(t, filepath.Join(dir, RPMS)); !slices.Equal(got, []string{"three.rpm"}) {
		t.Fatalf("its packages: %v", got)
	}
}

// A build that never started its container leaves no directory behind.
func TestOutputLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	must(openOutput(dir))(t).close()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is there: %v", err)
	}
}

// A build killed between the two renames of publish loses nothing.
func TestOutputRestores(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, oldRPMS, "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	o := must(openOutput(dir))(t)
	defer o.close()
	if got := names(t, dir); !slices.Contains(got, RPMS) || slices.Contains(got, oldRPMS) {
		t.Errorf("got %v", got)
	}
}

func TestOutputNotWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := openOutput(filepath.Join(file, "out"))
	if e := (*OutputError)(nil); !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}
