package repository

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"namibuild/builder/rpm/rpmtest"
)

// folder writes a package into a new folder.
func folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "kernels")
	data := rpmtest.Build(rpmtest.Package{Name: "a", Version: "1", Release: "1"})
	if err := errors.Join(os.Mkdir(dir, 0o777), os.WriteFile(filepath.Join(dir, "a-1-1.noarch.rpm"), data, 0o666)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestMake checks what an unsigned repository has, and that nothing hidden is left.
func TestMake(t *testing.T) {
	dir := folder(t)
	r, err := Make(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if r.Signed || len(r.Packages) != 1 || r.KeyFile != "" || r.File != filepath.Join(dir, "kernels.repo") {
		t.Errorf("%+v", r)
	}
	page, err := os.ReadFile(r.File)
	if err != nil || !strings.Contains(string(page), "baseurl=file://"+dir+"/\n") || !strings.Contains(string(page), "gpgcheck=0") {
		t.Errorf("%s, %v", page, err)
	}
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"a-1-1.noarch.rpm", "kernels.repo", "repodata"}; !slices.Equal(names, want) || err != nil {
		t.Errorf("the folder has %q, %v", names, err)
	}
}

// TestMakeRefuses checks what cannot become a repository, and that such a folder stays as it is.
func TestMakeRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		file    string
		options Options
		want    any
	}{
		"a release":           {"SHA256SUMS", Options{}, new(*Error)},
		"a signed repository": {"repodata/repomd.xml.asc", Options{}, new(*Error)},
		"a bad URL":           {"notes", Options{URL: "nowhere"}, new(*SourceError)},
	} {
		dir := folder(t)
		file := filepath.Join(dir, test.file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, []byte("mine"), 0o666)); err != nil {
			t.Fatal(err)
		}
		test.options.Dir = dir
		if _, err := Make(t.Context(), test.options); !errors.As(err, test.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if data, err := os.ReadFile(file); string(data) != "mine" || err != nil {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}
