package durable

import (
	"errors"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUpdate checks that an update is applied completely, that a second process is
// refused, and that an update which is not committed leaves nothing.
func TestUpdate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "out")
	u, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.As(err, new(*BusyError)) {
		t.Errorf("two at once: %v", err)
	}
	writeTree(t, u.Path(), map[string]string{"RPMS/b.rpm": "new", "build.json": "new"})
	writeTree(t, dir, map[string]string{"RPMS/a.rpm": "old", "proof.json": "old", "notes.txt": "mine"})
	if err := errors.Join(u.Commit("proof.json", "absent"), u.Close()); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"RPMS/b.rpm": "new", "build.json": "new", "notes.txt": "mine"}
	if diff := cmp.Diff(want, found(t, dir)); diff != "" {
		t.Error(diff)
	}
	if u, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	writeTree(t, u.Path(), map[string]string{"build.json": "half"})
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, found(t, dir)); diff != "" {
		t.Errorf("not committed: %s", diff)
	}
}

// TestUpdateLeavesNothing checks that a folder which Open made is removed if the update put
// nothing into it.
func TestUpdateLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	u, err := Open(dir)
	if err == nil {
		err = u.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder exists: %v", err)
	}
}

// TestSettle checks that after a process was killed while it committed, the folder has
// either all entries of before or all new ones: the next process that opens the folder
// continues where the killed one stopped.
func TestSettle(t *testing.T) {
	old := map[string]string{"RPMS/a.rpm": "old", "SRPMS/a.src.rpm": "old", "build.json": "old", "build.log": "old", "proof.json": "old", "repodata/repomd.xml": "old", "notes.txt": "mine"}
	next := map[string]string{"RPMS/b.rpm": "new", "build.json": "new", "build.log": "new", ".stale": "RPMS\nSRPMS\nbuild.json\nproof.json\nrepodata\n"}
	under := func(dir string, files map[string]string) map[string]string {
		moved := map[string]string{}
		for name, text := range files {
			moved[path.Join(dir, name)] = text
		}
		return moved
	}
	without := func(files map[string]string, names ...string) map[string]string {
		left := maps.Clone(files)
		for _, name := range names {
			delete(left, name)
		}
		return left
	}
	after := map[string]string{"RPMS/b.rpm": "new", "build.json": "new", "build.log": "new", "notes.txt": "mine"}
	for name, test := range map[string]struct{ before, want []map[string]string }{
		"before the rename":         {[]map[string]string{old, under(updateDir, next)}, []map[string]string{old}},
		"after the rename":          {[]map[string]string{old, under(nextDir, next)}, []map[string]string{after}},
		"some of the old removed":   {[]map[string]string{without(old, "RPMS/a.rpm", "SRPMS/a.src.rpm", "proof.json"), under(nextDir, next)}, []map[string]string{after}},
		"one of the new in place":   {[]map[string]string{without(after, "build.json", "build.log"), under(placeDir, without(next, "RPMS/b.rpm"))}, []map[string]string{after}},
		"all of the new in place":   {[]map[string]string{after, {placeDir + "/": ""}}, []map[string]string{after}},
		"an empty folder before":    {[]map[string]string{under(nextDir, next)}, []map[string]string{without(after, "notes.txt")}},
		"a stale path that escapes": {[]map[string]string{old, under(nextDir, map[string]string{".stale": "../out\nRPMS/a.rpm\n"})}, []map[string]string{old}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			for _, files := range test.before {
				writeTree(t, dir, files)
			}
			u, err := Open(dir)
			if err == nil {
				err = u.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for _, files := range test.want {
				maps.Copy(want, files)
			}
			if diff := cmp.Diff(want, found(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOpenNotWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	writeTree(t, filepath.Dir(file), map[string]string{"file": ""})
	if _, err := Open(filepath.Join(file, "out")); !errors.As(err, new(*Error)) {
		t.Errorf("got %v", err)
	}
}

// writeTree writes files by their paths. A path that ends with a slash is a folder.
func writeTree(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to+"x"), 0o777); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(to, 0o777); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(to, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// found returns all files below a folder by their paths.
func found(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		name, _ := filepath.Rel(dir, file)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
