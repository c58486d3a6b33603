package topdir

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/kerneltest"
)

func setup(t *testing.T) Source {
	t.Helper()
	dir := t.TempDir()
	store, err := fetch.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	r := kerneltest.Recipe(t, dir)
	f, err := store.Check(r.Source.File, r.Source.SHA256, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return Source{SRPM: f, Recipe: r, Store: store, Program: "0123abcd"}
}

// sent opens a topdir, sends it, and returns its tar and the topdir, which is closed.
func sent(t *testing.T, s Source) (tar []byte, d *Topdir) {
	t.Helper()
	d, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.Send(t.Context(), nil, func(r io.Reader) error {
		tar, err = io.ReadAll(r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tar, d
}

// TestOpenTakesWhatWasKept checks that the second topdir is the first one, by tar, size
// and preview.
func TestOpenTakesWhatWasKept(t *testing.T) {
	s := setup(t)
	first, made := sent(t, s)
	second, kept := sent(t, s)
	if made.packed || !kept.packed {
		t.Errorf("the first is kept: %v, the second: %v", made.packed, kept.packed)
	}
	if !bytes.Equal(first, second) || made.Size != int64(len(first)) || kept.Size != made.Size {
		t.Errorf("tars of %d and %d bytes, sizes %d and %d", len(first), len(second), made.Size, kept.Size)
	}
	if d := cmp.Diff(made.Preview.Diff(), kept.Preview.Diff()); d != "" || made.Preview.Epoch != kept.Preview.Epoch {
		t.Error(d)
	}
}

// TestSendThatFails checks that nothing is kept of a tar that was not sent to its end.
func TestSendThatFails(t *testing.T) {
	s := setup(t)
	d, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	broken := errors.New("broken")
	if err := d.Send(t.Context(), nil, func(io.Reader) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	for _, folder := range []string{"kept", "tmp"} {
		if left, err := os.ReadDir(filepath.Join(s.Store.Dir(), folder)); err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v, %v", folder, left, err)
		}
	}
}

// TestUnknownProgram checks that nothing is kept for a program that is not known.
func TestUnknownProgram(t *testing.T) {
	s := setup(t)
	s.Program = ""
	sent(t, s)
	if _, err := s.Preview(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(s.Store.Dir(), "kept")); err != nil || len(left) > 0 {
		t.Errorf("kept: %v, %v", left, err)
	}
}

// TestErrors checks that a recipe that does not fit the source is an error of the step.
func TestErrors(t *testing.T) {
	s := setup(t)
	s.Recipe.Edits[0].Find = "(61*HZ)"
	for name, do := range map[string]func(context.Context) error{
		"open":    func(ctx context.Context) error { _, err := s.Open(ctx); return err },
		"preview": func(ctx context.Context) error { _, err := s.Preview(ctx); return err },
	} {
		if step := (*event.StepError)(nil); !errors.As(do(t.Context()), &step) || step.Step != event.Prepare {
			t.Errorf("%s: %v", name, step)
		}
	}
}
