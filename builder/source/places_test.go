package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/source"
)

// configured writes the usual SRPM with two more files, one before and one after the
// tarball.
func configured(t *testing.T) string {
	t.Helper()
	p := stockPackage(stockSpec(t), compress(t, "bzip2", pack(t, stockTree())))
	p.Files = append([]rpmtest.File{{Path: "config-generic", Content: "CONFIG_A=y\n# CONFIG_B is not set\n", Mtime: oldTime}}, p.Files...)
	p.Files = append(p.Files, rpmtest.File{Path: "zz-notes", Content: "one\ntwo\n", Mtime: oldTime})
	return write(t, p)
}

// TestEditsEverywhere checks an expression in the tree, edits in the spec after the
// tag's changes, and edits in SOURCES before and after the tarball, in one diff.
func TestEditsEverywhere(t *testing.T) {
	srpm := configured(t)
	r := recipe.Recipe{Tag: "namibuild", Edits: []recipe.Edit{
		{In: recipe.InSources, File: "zz-notes", Find: "two", Replace: "2", Times: 1},
		{File: "include/net/tcp.h", Regexp: `^#define (TCP_\w+)[ ]+\((?P<n>\d+)\*HZ\)`, Replace: "#define $1 (${n}0*$$)", Times: 1},
		{In: recipe.InSources, File: "config-generic", Regexp: `^# (CONFIG_\w+) is not set$`, Replace: "$1=m", Times: 1},
		{In: recipe.InSpec, Find: "%define distro_build 431.3.1.namibuild\n", Replace: "%define distro_build 431.3.1.namibuild\n# mine\n", Times: 1},
	}}
	preview, got := prepare(t, srpm, r)
	seen, err := source.Inspect(t.Context(), at(t, srpm), r, nil)
	if diff := cmp.Diff(preview, seen); err != nil || diff != "" {
		t.Error("Inspect and Prepare return different previews", err, diff)
	}
	for name, want := range map[string]string{
		"SOURCES/zz-notes":       "one\n2\n",
		"SOURCES/config-generic": "CONFIG_A=y\nCONFIG_B=m\n",
		"SPECS/kernel.spec":      string(preview.Changes[0].After),
	} {
		if got := content(t, got, name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if !strings.Contains(string(preview.Changes[0].After), "distro_build 431.3.1.namibuild\n# mine\n") {
		t.Errorf("spec: %s", preview.Changes[0].After)
	}
	inner := unpack(t, strings.NewReader(content(t, got, "SOURCES/"+newDir+".tar.bz2")))
	if text := content(t, inner, newDir+"/include/net/tcp.h"); !strings.Contains(text, "#define TCP_TIMEWAIT_LEN (600*$) /*") {
		t.Errorf("tcp.h: %s", text)
	}
	var paths []string
	for _, c := range preview.Changes {
		paths = append(paths, c.Path)
	}
	want := []string{"kernel.spec", "SOURCES/zz-notes", "SOURCES/config-generic", newDir + "/Makefile", newDir + "/include/net/tcp.h"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
	patched(t, preview, "git", "apply", "-p1")
}

// TestEditsBesideTheTree checks that, without a tag and edits in the tree, the
// tarball is not needed, and the SRPM is read up to the last edited file.
func TestEditsBesideTheTree(t *testing.T) {
	p := stockPackage("Name: kernel\n", []byte("no tarball at all"))
	p.Files[3].Content = "text\n"
	srpm := write(t, p)
	preview, got := prepare(t, srpm, recipe.Recipe{Edits: []recipe.Edit{
		{In: recipe.InSpec, Find: "kernel", Replace: "seed", Times: 1},
		{In: recipe.InSources, File: "linux-kernel-test.patch", Find: "text", Replace: "more text", Times: 1},
	}})
	if content(t, got, "SPECS/kernel.spec") != "Name: seed\n" || content(t, got, "SOURCES/linux-kernel-test.patch") != "more text\n" {
		t.Errorf("%+v", got)
	}
	if preview.Tarball != "" || len(preview.Changes) != 2 || len(preview.Renames) != 0 {
		t.Errorf("%+v", preview)
	}
	var last, total int64
	progress := func(done, all int64) { last, total = done, all }
	p.Files[2].Content = noise(4 << 20)
	r := recipe.Recipe{Edits: []recipe.Edit{{In: recipe.InSources, File: "genkey", Find: "sh", Replace: "bash", Times: 1}}}
	if _, err := source.Inspect(t.Context(), at(t, write(t, p)), r, progress); err != nil || last > 1<<20 && last == total {
		t.Errorf("read %d of %d bytes, %v", last, total, err)
	}
}

func TestPlaceFaults(t *testing.T) {
	spec := func(e recipe.Edit) recipe.Edit { e.In = recipe.InSpec; return e }
	sources := func(e recipe.Edit) recipe.Edit { e.In = recipe.InSources; return e }
	const tcp = "include/net/tcp.h"
	for name, c := range map[string]struct {
		edits []recipe.Edit
		want  []source.Fault
	}{
		"regexp too often": {[]recipe.Edit{{File: tcp, Regexp: `^#define \w+`, Times: 2}}, []source.Fault{
			{File: tcp, Entry: first, Want: "a match of `^#define \\w+` 2 times", Found: "it 4 times (lines 2, 4, 6, 7)"}}},
		"regexp nowhere": {[]recipe.Edit{{File: tcp, Regexp: `TIMEWAIT$`, Times: 1}}, []source.Fault{
			{File: tcp, Entry: first, Want: "a match of `TIMEWAIT$` once", Found: "it nowhere"}}},
		"regexp empty": {[]recipe.Edit{{File: tcp, Regexp: `\b`, Times: 9}}, []source.Fault{
			{File: tcp, Line: 1, Entry: first, Want: "matches of `\\b` with at least one character", Found: "an empty one"}}},
		"no regexp": {[]recipe.Edit{{File: tcp, Regexp: `(`, Times: 1}}, []source.Fault{
			{File: tcp, Entry: first, Want: "a regular expression", Found: "error parsing regexp: missing closing ): `(?m)(`"}}},
		"regexp grown": {[]recipe.Edit{{File: tcp, Regexp: `endif`, Replace: strings.Repeat("x", 16<<20), Times: 1}}, []source.Fault{
			{File: tcp, Entry: first, Want: "at most 16 MiB when it is edited", Found: "more than 16777216 bytes"}}},
		"the old name": {[]recipe.Edit{spec(recipe.Edit{Find: "%define distro_build 431.3.1\n", Times: 1})}, []source.Fault{
			{File: "kernel.spec", Entry: first, Want: "`%define distro_build 431.3.1\\n` once",
				Found: "it 0 times; the most similar is line 8: `%define distro_build 431.3.1.namibuild`"}}},
		"files": {[]recipe.Edit{
			sources(recipe.Edit{File: "confg-generic", Find: "a", Times: 1}),
			sources(recipe.Edit{File: "qq", Find: "a", Times: 1}),
			sources(recipe.Edit{File: "kernel.spec", Find: "a", Times: 1}),
			sources(recipe.Edit{File: stockTar, Find: "a", Times: 1}),
		}, []source.Fault{
			{File: "confg-generic", Entry: first, Want: "this file in SOURCES", Found: "no such file; the most similar is config-generic"},
			{File: "qq", Entry: "edit 2 of the recipe", Want: "this file in SOURCES", Found: "no such file"},
			{File: "kernel.spec", Entry: "edit 3 of the recipe", Want: "another file of SOURCES", Found: "the spec, which is edited with in: spec"},
			{File: stockTar, Entry: "edit 4 of the recipe", Want: "another file of SOURCES", Found: "the kernel's tarball, whose files are edited with in: tree"},
		}},
		"all at once": {[]recipe.Edit{
			{File: tcp, Find: "qqq", Times: 1},
			sources(recipe.Edit{File: "zz-notes", Find: "qqq", Times: 1}),
			sources(recipe.Edit{File: "config-generic", Find: "qqq", Times: 1}),
			spec(recipe.Edit{Find: "qqqqqq", Times: 1}),
		}, []source.Fault{
			{File: "kernel.spec", Entry: "edit 4 of the recipe", Want: "`qqqqqq` once", Found: "it nowhere"},
			{File: "zz-notes", Entry: "edit 2 of the recipe", Want: "`qqq` once", Found: "it nowhere"},
			{File: "config-generic", Entry: "edit 3 of the recipe", Want: "`qqq` once", Found: "it nowhere"},
			{File: tcp, Entry: first, Want: "`qqq` once", Found: "it nowhere"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, faultsOf(t, configured(t), recipe.Recipe{Tag: "namibuild", Edits: c.edits})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOftenMatched checks that not all of very many matches are counted.
func TestOftenMatched(t *testing.T) {
	tree := append(stockTree(), file(stockDir+"/many", strings.Repeat("x\n", 5000)))
	srpm := write(t, stockPackage(stockSpec(t), pack(t, tree)))
	got := faultsOf(t, srpm, recipe.Recipe{Edits: []recipe.Edit{{File: "many", Regexp: "^x$", Times: 3}}})
	want := []source.Fault{{File: "many", Entry: first, Want: "a match of `^x$` 3 times",
		Found: "it more than 1000 times (lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …)"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSources checks that files are added and replaced, then edited, and that the
// diff has them.
func TestSources(t *testing.T) {
	r := recipe.Recipe{Sources: []recipe.Added{
		{File: "a", As: "config-local", Content: []byte("CONFIG_A=y\n")},
		{File: "my/generic", As: "config-generic", Content: []byte("CONFIG_A=m\n")},
		{File: "b", As: "genkey", Content: []byte("#!/bin/sh\n")},
	}, Edits: []recipe.Edit{
		{In: recipe.InSources, File: "config-local", Find: "=y", Replace: "=n", Times: 1},
		{In: recipe.InSpec, Find: "%define distro_build", Replace: "Source99: config-local\n%define distro_build", Times: 1},
	}}
	srpm := configured(t)
	preview, got := prepare(t, srpm, r)
	seen, err := source.Inspect(t.Context(), at(t, srpm), r, nil)
	if diff := cmp.Diff(preview, seen); err != nil || diff != "" {
		t.Error("Inspect and Prepare return different previews", err, diff)
	}
	for name, want := range map[string]string{"config-local": "CONFIG_A=n\n", "config-generic": "CONFIG_A=m\n", "genkey": "#!/bin/sh\n"} {
		if got := content(t, got, "SOURCES/"+name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	last := got[len(got)-1]
	if last.Name != "SOURCES/config-local" || last.Mode != 0o644 || last.Uid != 1000 || last.ModTime.Unix() != epoch {
		t.Errorf("%+v", last.Header)
	}
	want := []source.Change{
		{Path: "SOURCES/config-local", After: []byte("CONFIG_A=n\n"), Mode: 0o100644},
		{Path: "SOURCES/config-generic", Before: []byte("CONFIG_A=y\n# CONFIG_B is not set\n"), After: []byte("CONFIG_A=m\n")},
	}
	if diff := cmp.Diff(want, preview.Changes[1:]); diff != "" {
		t.Error(diff)
	}
	notes := []string{"SOURCES/config-generic of the SRPM is replaced by my/generic", "SOURCES/genkey of the SRPM is replaced by b"}
	if diff := cmp.Diff(notes, preview.Notes); diff != "" {
		t.Error(diff)
	}
	patched(t, source.Preview{Changes: preview.Changes[2:]}, "git", "apply", "-p1")
}

func TestSourcesFaults(t *testing.T) {
	r := recipe.Recipe{Tag: "namibuild", Sources: []recipe.Added{{As: "kernel.spec"}, {As: stockTar}, {As: newDir + ".tar.bz2"}, {As: "new"}},
		Edits: []recipe.Edit{{In: recipe.InSources, File: "new", Find: "x", Times: 1}}}
	const tarball = "the kernel's tarball, whose files are edited with in: tree"
	want := []source.Fault{
		{File: "kernel.spec", Want: "another file of SOURCES", Found: "the spec, which is edited with in: spec"},
		{File: stockTar, Want: "another file of SOURCES", Found: tarball},
		{File: newDir + ".tar.bz2", Want: "another file of SOURCES", Found: tarball},
		{File: "new", Entry: first, Want: "`x` once", Found: "it nowhere"},
	}
	if diff := cmp.Diff(want, faultsOf(t, configured(t), r)); diff != "" {
		t.Error(diff)
	}
	preview, err := source.Inspect(t.Context(), at(t, configured(t)), recipe.Recipe{Sources: []recipe.Added{{As: "new"}}}, nil)
	if err != nil || len(preview.Notes) != 1 || preview.Notes[0] != "SOURCES/new is added, and the spec does not name it" {
		t.Errorf("%q %v", preview.Notes, err)
	}
}
