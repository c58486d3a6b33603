package recipe

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestLoadBeside checks that Load reads the patches and sources of a recipe, from
// the host as well as from the binary.
func TestLoadBeside(t *testing.T) {
	page := "patches:\n  - {file: fix.patch}\n  - {file: more/old.diff, strip: 0}\nsources:\n  - {file: more/old.diff, as: new}\n"
	want := []Patch{{File: "fix.patch", Strip: 1, Content: []byte("fix\n")}, {File: "more/old.diff", Content: []byte("old\n")}}
	dir, embedded := t.TempDir(), binary()
	write(t, dir, "own.yaml", yamlOf("own")+page)
	write(t, dir, "tree/Dockerfile", "FROM scratch\n")
	write(t, dir, "fix.patch", "fix\n")
	write(t, dir, "more/old.diff", "old\n")
	embedded["recipes/own.yaml"] = &fstest.MapFile{Data: []byte(yamlOf("own") + page)}
	embedded["recipes/fix.patch"] = &fstest.MapFile{Data: []byte("fix\n")}
	embedded["recipes/more/old.diff"] = &fstest.MapFile{Data: []byte("old\n")}
	for _, arg := range []string{filepath.Join(dir, "own.yaml"), "own"} {
		r, err := Load(arg, embedded)
		if d := cmp.Diff(want, r.Patches); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", arg, err, d)
		}
		if d := cmp.Diff([]Added{{File: "more/old.diff", As: "new", Content: []byte("old\n")}}, r.Sources); d != "" {
			t.Errorf("%s:\n%s", arg, d)
		}
	}
}

// TestLoadKey checks that Load reads the file of keys.
func TestLoadKey(t *testing.T) {
	dir := t.TempDir()
	page := "name: own\nimage: centos6\nsource:\n  url: http://example.org/k.src.rpm\n  signed-by: C1DAC52D1664E8A4386DBA430946FCA2C105B9DE\n  key: KEY\npackages: [kernel]\n"
	write(t, dir, "own.yaml", page)
	_, err := Load(filepath.Join(dir, "own.yaml"), binary())
	if err == nil || !strings.HasSuffix(err.Error(), `own.yaml:6:8: key "KEY": must be a file beside the recipe: it does not exist`) {
		t.Error(err)
	}
	write(t, dir, "KEY", "a key\n")
	if r, err := Load(filepath.Join(dir, "own.yaml"), binary()); err != nil || string(r.Keys) != "a key\n" {
		t.Errorf("%q, %v", r.Keys, err)
	}
}

// TestLoadFaultsBeside checks that faults of the files beside a page are reported
// together with those of the page.
func TestLoadFaultsBeside(t *testing.T) {
	dir := t.TempDir()
	page := "patches:\n  - {file: none.patch}\n  - {file: more}\n  - {file: pipe}\n  - {file: fix.patch}\n  - {file: big.patch}\nsources:\n  - {file: none}\nobjects: 0\n"
	write(t, dir, "own.yaml", yamlOf("own")+page)
	write(t, dir, "more/old.diff", "old\n")
	write(t, dir, "fix.patch", "fix\n")
	write(t, dir, "big.patch", strings.Repeat("#", maxBeside+1))
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Load(filepath.Join(dir, "own.yaml"), binary())
	if err == nil {
		t.Fatal("no faults")
	}
	want := `own.yaml:6:12: file "none.patch": must be a file beside the recipe: it does not exist
own.yaml:7:12: file "more": must be a file beside the recipe: it is not a regular file
own.yaml:8:12: file "pipe": must be a file beside the recipe: it is not a regular file
own.yaml:10:12: file "big.patch": must be a file beside the recipe: it has more than 16777216 bytes, or all files together more than 67108864
own.yaml:12:12: file "none": must be a file beside the recipe: it does not exist
own.yaml:13:10: objects is 0: must be 1 or more`
	if d := cmp.Diff(want, strings.ReplaceAll(err.Error(), dir+string(os.PathSeparator), "")); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestLoadTooMuchBeside checks the size limit of all files together.
func TestLoadTooMuchBeside(t *testing.T) {
	embedded, page := binary(), "patches:\n"
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		page += "  - {file: " + name + "}\n"
		embedded["recipes/"+name] = &fstest.MapFile{Data: make([]byte, maxBeside-1)}
	}
	embedded["recipes/own.yaml"] = &fstest.MapFile{Data: []byte(yamlOf("own") + page)}
	_, err := Load("own", embedded)
	faults, ok := err.(Faults)
	if !ok || len(faults) != 1 || faults[0].Line != 10 {
		t.Errorf("got %v", err)
	}
}
