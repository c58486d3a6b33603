package builder

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"namibuild/builder/buildlog"
	"namibuild/builder/durable"
	"namibuild/builder/event"
	"namibuild/builder/set"
)

// names returns the names of the entries of a directory, sorted. A directory that does not
// exist has none.
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

// must returns a value, or ends the test with an error.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// fill writes a package and a log, as a build does.
func fill(t *testing.T, o *output, file string) {
	t.Helper()
	if err := os.MkdirAll(o.part(set.RPMS), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.part(set.RPMS), file), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := o.log.WriteString("said\n"); err != nil {
		t.Fatal(err)
	}
}

// TestOutput checks that a build replaces what the one before published, and that one that
// failed leaves it and adds its log.
func TestOutput(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "out")
	o := must(openOutput(dir))(t)
	if _, err := openOutput(dir); err == nil {
		t.Fatal("two builds can write to one directory")
	}
	fill(t, o, "one.rpm")
	must(o.publish(set.Record{}))(t)
	o.close()
	if got := names(t, dir); !slices.Equal(got, []string{set.RPMS, set.RecordFile, set.LogFile}) {
		t.Fatalf("after a build: %v", got)
	}

	o = must(openOutput(dir))(t)
	fill(t, o, "two.rpm")
	o.close() // it failed
	if got := names(t, dir); !slices.Equal(got, []string{set.RPMS, set.RecordFile, set.LogFile, set.FailedLog}) {
		t.Fatalf("after a failure: %v", got)
	}
	if got := names(t, filepath.Join(dir, set.RPMS)); !slices.Equal(got, []string{"one.rpm"}) {
		t.Fatalf("the earlier packages: %v", got)
	}

	o = must(openOutput(dir))(t)
	fill(t, o, "three.rpm")
	must(o.publish(set.Record{}))(t)
	o.close()
	if got := names(t, dir); !slices.Equal(got, []string{set.RPMS, set.RecordFile, set.LogFile}) {
		t.Fatalf("after the next build: %v", got)
	}
	if got := names(t, filepath.Join(dir, set.RPMS)); !slices.Equal(got, []string{"three.rpm"}) {
		t.Fatalf("its packages: %v", got)
	}
}

// TestOutputLeavesNothing checks that a build that made nothing leaves no directory.
func TestOutputLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	must(openOutput(dir))(t).close()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory exists: %v", err)
	}
}

func TestOutputNotWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := openOutput(filepath.Join(file, "out"))
	if e := (*durable.Error)(nil); !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}

// TestEndLog checks that a log that is too long is told of.
func TestEndLog(t *testing.T) {
	for n, want := range map[int][]string{3: nil, 9: {"the log is too long: 6 bytes of its middle are left out"}} {
		f, err := os.Create(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		log := &buildlog.Bounded{File: f, Head: 1, Tail: 2}
		for range n {
			if _, err := log.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		var told []string
		var b build
		b.Tell = func(e event.Event) { told = append(told, e.Text) }
		if err := b.endLog(log); err != nil || !slices.Equal(told, want) {
			t.Errorf("%d bytes: %v, %q", n, err, told)
		}
	}
}
