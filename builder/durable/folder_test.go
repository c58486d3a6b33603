package durable

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
)

func always(string) error { return nil }

// TestCreate checks that a folder appears when it is published, whether there is nothing
// in its place, an empty folder, or a folder that may be replaced.
func TestCreate(t *testing.T) {
	for name, test := range map[string]struct {
		before  map[string]string
		replace func(string) error
		want    map[string]string // nil: Create refuses
	}{
		"nothing":                 {nil, nil, map[string]string{"a": "new"}},
		"an empty folder":         {map[string]string{"to/": ""}, nil, map[string]string{"a": "new"}},
		"a folder":                {map[string]string{"to/b": "old"}, nil, nil},
		"a folder to be replaced": {map[string]string{"to/b": "old", "to/a": "old"}, always, map[string]string{"a": "new"}},
		"a folder to be kept":     {map[string]string{"to/b": "old"}, func(string) error { return errors.New("mine") }, nil},
		"a file":                  {map[string]string{"to": "old"}, always, nil},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			to := filepath.Join(parent, "to")
			writeTree(t, parent, test.before)
			f, err := Create(to, test.replace)
			if test.want == nil {
				if !errors.As(err, new(*Error)) {
					t.Fatalf("got %v", err)
				}
				if diff := cmp.Diff(test.before, found(t, parent)); diff != "" {
					t.Error(diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			writeTree(t, f.Path(), test.want)
			if _, err := Create(to, always); !errors.As(err, new(*BusyError)) {
				t.Errorf("two at once: %v", err)
			}
			if err := errors.Join(f.Publish(), f.Close()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, found(t, to)); diff != "" {
				t.Error(diff)
			}
			if left, _ := os.ReadDir(parent); len(left) != 1 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// TestCreateUnpublished checks that a folder which is not published leaves nothing, and
// that the folder in its place is not changed.
func TestCreateUnpublished(t *testing.T) {
	parent := t.TempDir()
	writeTree(t, parent, map[string]string{"to/a": "old"})
	f, err := Create(filepath.Join(parent, "to"), always)
	if err != nil {
		t.Fatal(err)
	}
	writeTree(t, f.Path(), map[string]string{"a": "new"})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"to/a": "old"}, found(t, parent)); diff != "" {
		t.Error(diff)
	}
}

// TestSwapInSteps checks the renames on a file system that cannot exchange two folders.
func TestSwapInSteps(t *testing.T) {
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{"new/a": "new", "to/a": "old", "old/a": "left"})
	if err := swapInSteps(filepath.Join(dir, "new"), filepath.Join(dir, "to"), filepath.Join(dir, "old")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"to/a": "new"}, found(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestSweep checks that a process removes what killed processes left beside the place
// that it writes to. What is in use and what this package did not make stays. A folder
// that was about to be replaced gets its name back.
func TestSweep(t *testing.T) {
	for name, next := range map[string]func(dir string) (interface{ Close() error }, error){
		"update": func(dir string) (interface{ Close() error }, error) { return Open(filepath.Join(dir, "set")) },
		"folder": func(dir string) (interface{ Close() error }, error) {
			return Create(filepath.Join(dir, "set-release"), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out[1]")
			writeTree(t, dir, map[string]string{
				".killed.part/.lock": "", ".killed.part/new/RPMS/a.rpm": "half",
				".running.part/.lock": "", ".running.part/new/a": "half",
				".aside.part/.lock": "", ".aside.part/new/a": "half", ".aside.part/old/a": "the only copy",
				".replaced.part/.lock": "", ".replaced.part/old/a": "old", "replaced/a": "new",
				".other.part/a": "not ours", ".empty.part/": "", "release/a": "a",
			})
			running := flock.New(filepath.Join(dir, ".running.part", ".lock"))
			if ok, err := running.TryLock(); !ok {
				t.Fatal(err)
			}
			defer running.Close()
			f, err := next(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{
				".running.part/.lock": "", ".running.part/new/a": "half", "aside/a": "the only copy", "replaced/a": "new",
				".other.part/a": "not ours", "release/a": "a",
			}
			if diff := cmp.Diff(want, found(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOnlyCopy checks that the only copy of a folder is never removed, even if it is found
// by the process that will replace the folder.
func TestOnlyCopy(t *testing.T) {
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{".to.part/.lock": "", ".to.part/old/a": "old", ".to.part/new/a": "half"})
	h, err := hide(filepath.Join(dir, "to"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"to/a": "old", ".to.part/.lock": ""}, found(t, dir)); diff != "" {
		t.Error(diff)
	}
	// a rename that fails half way leaves the folder aside
	if err := os.Rename(filepath.Join(dir, "to"), filepath.Join(h.path, oldName)); err != nil {
		t.Fatal(err)
	}
	if err := h.remove(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"to/a": "old"}, found(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestWriteFile checks that a file is replaced, even if a killed process left a part of it.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{"a": "old", ".a.part/.lock": "", ".a.part/new": "half"})
	if err := WriteFile(filepath.Join(dir, "a"), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "new"}, found(t, dir)); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(filepath.Join(dir, "a")); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := WriteFile(filepath.Join(dir, "absent", "a"), nil, 0o666); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into a folder that does not exist: %v", err)
	}
}

// TestCreateFile checks that CreateFile writes a file that does not exist, and leaves one that
// does, or a link of that name, as it is.
func TestCreateFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := CreateFile(path, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "link"} {
		if err := CreateFile(filepath.Join(dir, name), []byte("second"), 0o600); !errors.Is(err, os.ErrExist) {
			t.Errorf("%s exists: got %v", name, err)
		}
	}
	data, err := os.ReadFile(path)
	if info, serr := os.Stat(path); string(data) != "first" || err != nil || serr != nil || info.Mode() != 0o600 {
		t.Errorf("%q, %v, %v", data, err, serr)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left: %v", left)
	}
}
