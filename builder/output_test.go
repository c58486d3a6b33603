package builder

import (
	"errors"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	if err := os.MkdirAll(o.part(RPMS), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.part(RPMS), file), nil, 0o666); err != nil {
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

// A build that is killed while it publishes leaves the set before or its own,
// whole: whatever has happened until then, the next one that opens the
// directory goes on there.
func TestSettle(t *testing.T) {
	old := map[string]string{"RPMS/a.rpm": "old", "SRPMS/a.src.rpm": "old", "build.json": "old", "build.log": "old", "proof.json": "old", "repodata/repomd.xml": "old", "notes.txt": "mine"}
	next := map[string]string{"RPMS/b.rpm": "new", "build.json": "new", "build.log": "new"}
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
	whole := map[string]string{"RPMS/b.rpm": "new", "build.json": "new", "build.log": "new", "notes.txt": "mine"}
	for name, test := range map[string]struct{ there, want []map[string]string }{
		"before the rename":        {[]map[string]string{old, under(partDir, next)}, []map[string]string{old}},
		"behind the rename":        {[]map[string]string{old, under(nextDir, next)}, []map[string]string{whole}},
		"some of the old removed":  {[]map[string]string{without(old, "RPMS/a.rpm", "SRPMS/a.src.rpm", "proof.json"), under(nextDir, next)}, []map[string]string{whole}},
		"one of the new in place":  {[]map[string]string{without(whole, "build.json", "build.log"), under(placeDir, without(next, "RPMS/b.rpm"))}, []map[string]string{whole}},
		"all of the new in place":  {[]map[string]string{whole, {placeDir + "/": ""}}, []map[string]string{whole}},
		"nothing was there before": {[]map[string]string{under(nextDir, next)}, []map[string]string{without(whole, "notes.txt")}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, files := range test.there {
				lay(t, dir, files)
			}
			must(openOutput(dir))(t).close()
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

// lay writes files, and folders whose name ends with a slash.
func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to+"x"), 0o777); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		if err := os.WriteFile(to, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// found are all files below a folder by their path.
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
