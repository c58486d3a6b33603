package recipe

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzParse checks that Parse does not panic, and that it returns either a recipe
// with all that a Recipe promises, or faults with places in the page.
func FuzzParse(f *testing.F) {
	pages, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(pages) == 0 {
		f.Fatal("no pages", err)
	}
	for _, page := range pages {
		data, err := os.ReadFile(page)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("name: x\nimage: debian12\nsource: {pack: demo}\npackages: [kernel]\nedits:\n - {file: a, find: b, replace: c}\n"))
	f.Add([]byte("edits:\n - {in: spec, regexp: \"^(a)$\", replace: \"$1x${1}$$\"}\n - {in: sources, file: a/b, regexp: (, replace: c}\n"))
	f.Add([]byte("name: x\nimage: centos6\nsource: {pack: demo}\npackages: [kernel]\nconfig: {A: y, CONFIG_B: 0x10, C: \"x \\\\ \\\" \", D: n}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse("f.yaml", data)
		if err == nil {
			checkRecipe(t, r)
			return
		}
		faults, ok := err.(Faults)
		if !ok || len(faults) == 0 {
			t.Fatalf("error %T %v, want Faults", err, err)
		}
		for i, one := range faults {
			// Each line break of YAML has at least a byte. A fault may be behind the last one.
			last := len(data) + 1
			if one.File != "f.yaml" || one.Line < 1 || one.Line > last || one.Column < 1 || one.Message == "" {
				t.Fatalf("fault %+v", one)
			}
			if i > 0 && one.Line < faults[i-1].Line {
				t.Fatalf("faults out of order: %v", faults)
			}
		}
	})
}

// checkRecipe checks what every recipe without a fault promises.
func checkRecipe(t *testing.T, r Recipe) {
	t.Helper()
	from := 0
	for _, s := range []string{r.Source.URL, r.Source.File, r.Source.Pack} {
		if s != "" {
			from++
		}
	}
	verified := r.Source.SHA256 != "" || r.Source.SignedBy != ""
	if r.Name == "" || r.Image == "" || len(r.Packages) == 0 || from != 1 || verified == (r.Source.Pack != "") {
		t.Fatalf("a recipe without a fault: %+v", r)
	}
	if len(r.Source.Mirrors) > 0 && (r.Source.URL == "" || slices.Contains(r.Source.Mirrors, r.Source.URL)) {
		t.Fatalf("mirrors without a URL: %+v", r)
	}
	for _, e := range r.Edits {
		if (e.File == "") != (e.In == InSpec) || (e.Find == "") == (e.Regexp == "") || e.Find == e.Replace && e.Find != "" || e.Times < 1 {
			t.Fatalf("an edit without a fault: %+v", e)
		}
	}
	for _, o := range r.Config {
		if got, ok := OptionOf(o.Line() + "\n"); !ok || got != o {
			t.Fatalf("an option without a fault: %+v, its line is %+v", o, got)
		}
	}
	for _, p := range r.Patches {
		if !fs.ValidPath(p.File) || p.File == "." || p.Strip < 0 || p.Content != nil {
			t.Fatalf("a patch without a fault: %+v", p)
		}
	}
	for _, a := range r.Sources {
		if !fs.ValidPath(a.File) || a.As == "" || strings.Contains(a.As, "/") || a.Content != nil {
			t.Fatalf("a file of sources without a fault: %+v", a)
		}
	}
	for _, list := range [][]string{r.Packages, r.Source.Mirrors, r.Rpmbuild.With, r.Rpmbuild.Without} {
		for _, word := range list {
			if word == "" {
				t.Fatalf("an empty word: %+v", r)
			}
		}
	}
}
