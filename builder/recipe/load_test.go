package recipe

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// allFields lets cmp compare the unexported fields of a recipe too.
var allFields = cmp.AllowUnexported(Recipe{})

func yamlOf(name string) string {
	return "name: " + name + "\nimage: debian12\nsource: {pack: tree}\npackages: [kernel]\n"
}

func binary() fstest.MapFS {
	return fstest.MapFS{
		"recipes/demo.yaml":               {Data: []byte(yamlOf("demo"))},
		"recipes/centos6.5-timewait.yaml": {Data: []byte(yamlOf("centos6.5-timewait"))},
		"recipes/tree/Dockerfile":         {Data: []byte("FROM scratch\n")},
		"recipes/tree/kernel.spec":        {Data: []byte("Name: kernel\n")},
		"recipes/notes.txt":               {Data: []byte("not a recipe")},
		"recipes/tree/config.yaml":        {Data: []byte("not a recipe")},
	}
}

func TestLoadShipped(t *testing.T) {
	r, err := Load("demo", binary())
	if err != nil {
		t.Fatal(err)
	}
	wantPack(t, r)
	r.files = nil
	want := Recipe{Name: "demo", Image: "debian12", Source: Source{Pack: "tree"}, Packages: []string{"kernel"}}
	if d := cmp.Diff(want, r, allFields); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "own.yaml", yamlOf("own"))
	write(t, dir, "tree/Dockerfile", "FROM scratch\n")
	write(t, dir, "tree/kernel.spec", "Name: kernel\n")
	r, err := Load(filepath.Join(dir, "own.yaml"), binary())
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != "own" || r.Dir != dir || r.Path != filepath.Join(dir, "own.yaml") {
		t.Errorf("got %q in %q", r.Name, r.Dir)
	}
	wantPack(t, r)
}

func TestLoadRelativePath(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "demo.yaml", yamlOf("mine"))
	write(t, dir, "demo", yamlOf("without-an-ending"))
	write(t, dir, "tree/Dockerfile", "FROM scratch\n")
	t.Chdir(dir)
	for arg, want := range map[string]string{"demo.yaml": "mine", "./demo": "without-an-ending", "demo": "demo"} {
		r, err := Load(arg, binary())
		if err != nil || r.Name != want {
			t.Errorf("%s: got %q, %v, want %q", arg, r.Name, err, want)
		}
	}
}

func TestShipped(t *testing.T) {
	all, err := Shipped(binary())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
		wantPack(t, r)
	}
	if d := cmp.Diff([]string{"centos6.5-timewait", "demo"}, names); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestShippedFaultsOfEveryPage(t *testing.T) {
	files := binary()
	files["recipes/a.yaml"] = &fstest.MapFile{Data: []byte("tag: x\n")}
	files["recipes/b.yaml"] = &fstest.MapFile{Data: []byte("- b\n")}
	_, err := Shipped(files)
	if err == nil || !strings.Contains(err.Error(), "recipes/a.yaml:1:1:") || !strings.Contains(err.Error(), "recipes/b.yaml:1:1:") {
		t.Errorf("got %v", err)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "bad.yml", "name: x\n")
	write(t, dir, "big.yaml", strings.Repeat("#", 2*MaxSize))
	write(t, dir, "packless.yaml", yamlOf("packless"))
	bad, big, packless := filepath.Join(dir, "bad.yml"), filepath.Join(dir, "big.yaml"), filepath.Join(dir, "packless.yaml")
	tests := []struct{ arg, want string }{
		{"dmeo", `no such recipe: "dmeo"; did you mean demo? namibuild has centos6.5-timewait, demo; the path of a file has a slash or ends in .yaml`},
		{"x", `no such recipe: "x"; namibuild has centos6.5-timewait, demo; the path of a file has a slash or ends in .yaml`},
		{"notes", `no such recipe: "notes"; namibuild has centos6.5-timewait, demo; the path of a file has a slash or ends in .yaml`},
		{"", `no such recipe: ""; namibuild has centos6.5-timewait, demo; the path of a file has a slash or ends in .yaml`},
		{"/nowhere/r.yaml", "reading recipe: open /nowhere/r.yaml: no such file or directory"},
		{dir + "/", "reading recipe: read " + dir + "/: is a directory"},
		{bad, bad + `:1:1: the recipe must have the key "image"` + "\n" +
			bad + `:1:1: the recipe must have the key "source"` + "\n" +
			bad + `:1:1: the recipe must have the key "packages"`},
		{packless, "finding the pack of recipe packless: stat tree/Dockerfile: no such file or directory"},
		{big, big + ":1:1: the file has more than 1048576 bytes: must be a recipe in YAML"},
	}
	for _, test := range tests {
		r, err := Load(test.arg, binary())
		if err == nil {
			t.Errorf("%q: no error, got %+v", test.arg, r)
			continue
		}
		if d := cmp.Diff(test.want, err.Error()); d != "" {
			t.Errorf("%q: -want +got\n%s", test.arg, d)
		}
	}
}

func TestLoadSourceFile(t *testing.T) {
	dir := t.TempDir()
	for file, want := range map[string]string{
		"k.src.rpm":         filepath.Join(dir, "k.src.rpm"),
		"../in/k.src.rpm":   filepath.Join(filepath.Dir(dir), "in/k.src.rpm"),
		"/absent/k.src.rpm": "/absent/k.src.rpm",
	} {
		write(t, dir, "r.yaml", "name: r\nimage: centos6\nsource: {file: "+file+", sha256: "+digest+"}\npackages: [kernel]\n")
		r, err := Load(filepath.Join(dir, "r.yaml"), binary())
		if err != nil || r.Source.File != want {
			t.Errorf("%s: got %q, %v, want %q", file, r.Source.File, err, want)
		}
	}
}

// wantPack checks that the pack of r is the folder "tree" beside its file.
func wantPack(t *testing.T, r Recipe) {
	t.Helper()
	spec, err := fs.ReadFile(r.Files(), r.Source.Pack+"/kernel.spec")
	if err != nil || string(spec) != "Name: kernel\n" {
		t.Errorf("pack of %s: %q, %v", r.Name, spec, err)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
