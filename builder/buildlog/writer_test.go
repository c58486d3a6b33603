package buildlog

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestWriter checks that the log is the output without the lines of rpmbuild.sh, and that the
// functions are called, however the output is cut into writes.
func TestWriter(t *testing.T) {
	in := "@namibuild packages kernel kernel-devel \nExecuting(%prep): a\n@namibuild objects 7\nbody @namibuild objects 9\n@namibuild objects x\n\nExecuting(%build): b\nno end"
	want := "Executing(%prep): a\nbody @namibuild objects 9\n\nExecuting(%build): b\nno end"
	for range 100 {
		var out strings.Builder
		var phases []string
		var objects []int64
		var packages []string
		w := &Writer{W: &out, Phase: func(p string) { phases = append(phases, p) }, Objects: func(n int64) { objects = append(objects, n) },
			Packages: func(names []string) { packages = append(packages, names...) }}
		for rest := in; rest != ""; {
			n := 1 + rand.IntN(len(rest))
			if _, err := w.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Fatalf("got %q, want %q", out.String(), want)
		}
		if got := strings.Join(phases, " "); got != "%prep %build" {
			t.Fatalf("phases %q", got)
		}
		if len(objects) != 1 || objects[0] != 7 {
			t.Fatalf("objects %v", objects)
		}
		if !slices.Equal(packages, []string{"kernel", "kernel-devel"}) {
			t.Fatalf("packages %q", packages)
		}
	}
}

// full is a writer that always fails.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

// TestWriterError checks that Write returns the error of the log.
func TestWriterError(t *testing.T) {
	w := &Writer{W: full{}}
	if _, err := w.Write([]byte("a line\n")); err == nil || err.Error() != "writing the log: no room" {
		t.Errorf("got %v", err)
	}
}
