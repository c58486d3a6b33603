package durable

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/hosttest"
)

// TestPlanted puts symbolic links and other things where this package has its hidden
// names. It must not follow them, and must not remove or change anything elsewhere.
func TestPlanted(t *testing.T) {
	link := func(target string) func(path string) error {
		return func(path string) error { return os.Symlink(target, path) }
	}
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o666) }
	folder := func(path string) error { return os.Mkdir(path, 0o777) }
	for name, test := range map[string]struct {
		kind, planted string
		plant         func(path string) error
		refused       bool // by an error, which is no *BusyError
	}{
		"hidden folder":               {"folder", ".to.part", link("elsewhere"), true},
		"hidden folder of a file":     {"file", ".to.part", link("elsewhere"), true},
		"hidden folder of a neighbor": {"folder", ".other.part", link("elsewhere"), false},
		"hidden folder, dangling":     {"folder", ".to.part", link("nowhere"), true},
		"lock":                        {"folder", ".to.part/.lock", link("../elsewhere/.lock"), true},
		"lock of a file":              {"file", ".to.part/.lock", link("../elsewhere/mine"), true},
		"lock, dangling":              {"folder", ".to.part/.lock", link("../elsewhere/nothing"), true},
		"lock, a pipe":                {"folder", ".to.part/.lock", pipe, true},
		"lock, a folder":              {"folder", ".to.part/.lock", folder, true},
		"lock of a neighbor":          {"folder", ".other.part/.lock", link("../elsewhere/.lock"), false},
		"what is made":                {"folder", ".to.part/new", link("../elsewhere"), false},
		"what is made, of a file":     {"file", ".to.part/new", link("../elsewhere/mine"), false},
		"what is replaced":            {"folder", ".to.part/old", link("../elsewhere"), false},
		"lock of an update":           {"update", "to/.lock", link("../elsewhere/.lock"), true},
		"lock of an update, a pipe":   {"update", "to/.lock", pipe, true},
		"part of an update":           {"update", "to/.part", link("../elsewhere"), false},
		"committed":                   {"update", "to/.next", link("../elsewhere"), true},
		"being placed":                {"update", "to/.placing", link("../elsewhere"), true},
		"entry":                       {"update", "to/sub", link("../elsewhere"), false},
		"target":                      {"folder", "to", link("elsewhere"), true},
		"target, dangling":            {"folder", "to", link("nowhere"), true},
		"target of a file":            {"file", "to", link("elsewhere/mine"), false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			elsewhere := map[string]string{"mine": "mine", ".lock": "", "new/a": "mine", "old/a": "mine", "a": "mine"}
			writeTree(t, filepath.Join(dir, "elsewhere"), elsewhere)
			path := filepath.Join(dir, test.planted)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), test.plant(path)); err != nil {
				t.Fatal(err)
			}
			err := writers[test.kind](filepath.Join(dir, "to"), "new\n")
			if (err != nil) != test.refused || errors.As(err, new(*BusyError)) {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(elsewhere, found(t, filepath.Join(dir, "elsewhere"))); diff != "" {
				t.Errorf("elsewhere: %s", diff)
			}
			if err == nil {
				checkWhole(t, test.kind, filepath.Join(dir, "to"))
			}
		})
	}
}

// TestStaleNames checks that the list of a committed update removes entries of the folder
// only: not the folder itself, and nothing above or below it.
func TestStaleNames(t *testing.T) {
	dir := t.TempDir()
	before := map[string]string{"to/a": "a", "to/sub/b": "b", "c": "c"}
	writeTree(t, dir, before)
	writeTree(t, dir, map[string]string{"to/.next/.stale": ".\n..\n\n../c\n/\nsub/b\nto/..\n"})
	u, err := Open(filepath.Join(dir, "to"))
	if err == nil {
		err = u.Close()
	}
	if diff := cmp.Diff(before, found(t, dir)); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestCreateMeetsUpdate checks that a folder is not replaced while a process updates it,
// nor if it appeared while the new one was made and may not be replaced.
func TestCreateMeetsUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "to")
	u, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, always); !errors.As(err, new(*BusyError)) {
		t.Errorf("over an update: %v", err)
	}
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Create(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	mine := map[string]string{"letter": "mine"}
	writeTree(t, path, mine)
	writeTree(t, f.Path(), map[string]string{"a": "new"})
	if err := f.Publish(); !errors.As(err, new(*Error)) {
		t.Errorf("over what appeared: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(mine, found(t, path)); diff != "" {
		t.Error(diff)
	}
}

// TestCreateHere checks that the working directory can be made, if it is empty.
func TestCreateHere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "to")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := writers["folder"](".", "new\n"); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, "folder", dir)
	checkNothingHidden(t, filepath.Dir(dir))
}

// mount mounts a file system of 64 KiB in memory on a new folder.
func mount(t *testing.T, options string) string {
	t.Helper()
	hosttest.Root(t)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, options); err != nil {
		t.Fatalf("mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	return disk
}

// TestDiskFull checks that the error says that the disk is full, of blocks or of inodes,
// that the old content stays, and that nothing else is left.
func TestDiskFull(t *testing.T) {
	for kind, write := range writers {
		for _, options := range []string{"size=64k", "size=64k,nr_inodes=14"} {
			disk := mount(t, options)
			path := filepath.Join(disk, "to")
			if err := write(path, "old\n"); err != nil {
				t.Fatal(err)
			}
			failed := false
			for size := 4; size <= 1<<17 && !failed; size *= 2 {
				before := found(t, disk)
				text := strings.Repeat("new\n", size/4)
				err := write(path, text)
				for i := 0; err == nil && strings.Contains(options, "inodes") && i < 20; i++ { // use up the inodes
					name := filepath.Join(disk, "more"+string(rune('a'+i)))
					os.WriteFile(name, nil, 0o666)
					before = found(t, disk)
					err = write(path, "new\n")
				}
				if failed = err != nil; !failed {
					continue
				}
				if !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("%s, %s: got %v", kind, options, err)
				}
				if diff := cmp.Diff(before, found(t, disk)); diff != "" {
					t.Errorf("%s, %s: %s", kind, options, diff)
				}
				checkNothingHidden(t, disk)
			}
			if !failed {
				t.Errorf("%s, %s: the disk was not full", kind, options)
			}
		}
	}
}

// TestReadOnly checks that a folder on a read-only file system is not changed, and that
// the error says why.
func TestReadOnly(t *testing.T) {
	disk := mount(t, "size=64k")
	before := map[string]string{}
	for kind, write := range writers {
		path := filepath.Join(disk, kind)
		if err := write(path, "old\n"); err != nil {
			t.Fatal(err)
		}
	}
	maps.Copy(before, found(t, disk))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for kind, write := range writers {
		if err := write(filepath.Join(disk, kind), "new\n"); !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: got %v", kind, err)
		}
		if err := write(filepath.Join(disk, "a", kind), "new\n"); err == nil {
			t.Errorf("%s in a new folder: no error", kind)
		}
	}
	if diff := cmp.Diff(before, found(t, disk)); diff != "" {
		t.Error(diff)
	}
}
