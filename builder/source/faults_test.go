package source_test

import (
	"archive/tar"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
	"namibuild/builder/source"
)

// faultsOf returns the faults of Inspect and Prepare, which must be the same.
func faultsOf(t *testing.T, srpm string, r recipe.Recipe) []source.Fault {
	t.Helper()
	_, err := source.Inspect(t.Context(), at(t, srpm), r, nil)
	_, again := source.Prepare(t.Context(), at(t, srpm), r, scratch(t), nil)
	var seen, prepared *source.MismatchError
	if !errors.As(err, &seen) || !errors.As(again, &prepared) {
		t.Fatalf("Inspect: %v; Prepare: %v", err, again)
	}
	if diff := cmp.Diff(seen, prepared); diff != "" {
		t.Errorf("Inspect and Prepare differ: %s", diff)
	}
	return seen.Faults
}

func TestSpecFaults(t *testing.T) {
	const spec = "kernel.spec"
	swap := func(old, next string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, next, 1) }
	}
	build, kver, src := "%define distro_build 431.3.1\n", "%define kversion 2.6.32-431.3.1.el6\n", "Source0: "+stockTar+"\n"
	for name, c := range map[string]struct {
		change func(string) string
		want   []source.Fault
	}{
		"no distro_build": {swap(build, "#"+build), []source.Fault{
			{File: spec, Want: "one line `%define distro_build`", Found: "no such line"}}},
		"two distro_builds": {swap(build, build+build), []source.Fault{
			{File: spec, Want: "one line `%define distro_build`", Found: "2: lines 8, 9"}}},
		"distro_build of macros": {swap(build, "%define distro_build %{a}.%{b}\n"), []source.Fault{
			{File: spec, Line: 8, Want: "distro_build as a plain number", Found: "`%{a}.%{b}`"}}},
		"no kversion": {swap(kver, ""), []source.Fault{
			{File: spec, Want: "one line `%define kversion`", Found: "no such line"}}},
		"kversion of macros": {swap(kver, "%global kversion %{rpmversion}-431.3.1\n"), []source.Fault{
			{File: spec, Line: 15, Want: "kversion as a plain version", Found: "`%{rpmversion}-431.3.1`"}}},
		"another build in kversion": {swap(kver, "%define kversion 2.6.32-431.3.10.el6\n"), []source.Fault{
			{File: spec, Line: 15, Want: "kversion with `-431.3.1` in it once, the distro_build of line 8", Found: "`2.6.32-431.3.10.el6`"},
			{File: spec, Line: 30, Want: "Source0 that names linux-2.6.32-431.3.10.el6.tar…, the kversion of line 15", Found: "`" + stockTar + "`"},
			{File: stockTar, Want: "the top directory linux-2.6.32-431.3.10.el6", Found: "`" + stockDir + "`"}}},
		"no Source0": {swap(src, ""), []source.Fault{
			{File: spec, Want: "one line `Source0:`", Found: "no such line"}}},
		"two sources": {swap(src, src+"Source: b.tar\n"), []source.Fault{
			{File: spec, Want: "one line `Source0:`", Found: "2: lines 30, 31"}}},
		"Source0 not in the SRPM": {swap(src, "Source0: linux-2.6.32-431.3.1.el6.tar.xz\n"), []source.Fault{
			{File: spec, Line: 30, Want: "the file of Source0 in the SRPM, `linux-2.6.32-431.3.1.el6.tar.xz`", Found: stockTar}}},
		"Source0 that names another file": {swap(src, "Source0: genkey\n"), []source.Fault{
			{File: spec, Line: 30, Want: "Source0 that names " + stockDir + ".tar…, the kversion of line 15", Found: "`genkey`"}}},
		"nothing at all": {func(string) string { return "Name: kernel\n" }, []source.Fault{
			{File: spec, Want: "a spec of el6, el7, el8, el9 or ELRepo, where the places of a tag are known", Found: "none of the macros that these have"}}},
		"only kversion": {func(string) string { return "%define kversion 1-2\n" }, []source.Fault{
			{File: spec, Want: "one line `%define distro_build`", Found: "no such line"},
			{File: spec, Want: "one line `Source0:`", Found: "no such line"}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := stockPackage(c.change(stockSpec(t)), pack(t, stockTree()))
			if name == "Source0 that names another file" { // which is then checked as the kernel's tree
				p.Files[0].Content, p.Files[2].Content = p.Files[2].Content, ""
			}
			if diff := cmp.Diff(c.want, faultsOf(t, write(t, p), timewait)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// first is what faults call the first edit of a recipe without a name.
const first = "edit 1 of the recipe"

func TestTreeFaults(t *testing.T) {
	without := func(name string) []item {
		var rest []item
		for _, it := range stockTree() {
			if it.Name != name {
				rest = append(rest, it)
			}
		}
		return rest
	}
	instead := func(it item) []item { return append(without(it.Name), it) }
	const tcp = stockDir + "/include/net/tcp.h"
	for name, c := range map[string]struct {
		tree []item
		want []source.Fault
	}{
		"no Makefile": {append(without(stockDir+"/Makefile"), file(stockDir+"/fs/Makefile", "")), []source.Fault{
			{File: "Makefile", Want: "this file in " + stockTar, Found: "no such file; one with that name is fs/Makefile"}}},
		"EXTRAVERSION is there": {instead(file(stockDir+"/Makefile", "VERSION = 2\nEXTRAVERSION = -rc1\n")), []source.Fault{
			{File: "Makefile", Line: 2, Want: "an empty EXTRAVERSION", Found: "`EXTRAVERSION = -rc1`"}}},
		"no EXTRAVERSION": {instead(file(stockDir+"/Makefile", "VERSION = 2\n")), []source.Fault{
			{File: "Makefile", Want: "one line `EXTRAVERSION =`", Found: "no such line"}}},
		"two EXTRAVERSIONs": {instead(file(stockDir+"/Makefile", "EXTRAVERSION =\n\nEXTRAVERSION =\n")), []source.Fault{
			{File: "Makefile", Want: "one line `EXTRAVERSION =`", Found: "line 1 and line 3"}}},
		"another top directory": {[]item{file("linux-3/Makefile", makefile), file("linux-3/include/net/tcp.h", "")}, []source.Fault{
			{File: stockTar, Want: "the top directory " + stockDir, Found: "`linux-3`"},
			{File: "include/net/tcp.h", Entry: first, Want: "`#define TCP_TIMEWAIT_LEN (60*HZ)` once", Found: "it nowhere"}}},
		"symbolic link": {instead(link(tar.TypeSymlink, tcp, "udp.h")), []source.Fault{
			{File: "include/net/tcp.h", Entry: first, Want: "a regular file to edit", Found: "a symbolic link to `udp.h`"}}},
		"hard link": {instead(link(tar.TypeLink, tcp, stockDir+"/COPYING")), []source.Fault{
			{File: "include/net/tcp.h", Entry: first, Want: "a regular file to edit", Found: "a hard link to `" + stockDir + "/COPYING`"}}},
		"directory": {instead(folder(tcp)), []source.Fault{
			{File: "include/net/tcp.h", Entry: first, Want: "a regular file to edit", Found: "a directory"}}},
		"too big": {instead(file(tcp, strings.Repeat("x", 16<<20+1))), []source.Fault{
			{File: "include/net/tcp.h", Entry: first, Want: "at most 16 MiB to edit", Found: "16777217 bytes"}}},
		"empty archive": {nil, []source.Fault{
			{File: "Makefile", Want: "this file in " + stockTar, Found: "no such file"},
			{File: "include/net/tcp.h", Entry: first, Want: "this file in " + stockTar, Found: "no such file"}}},
	} {
		t.Run(name, func(t *testing.T) {
			srpm := write(t, stockPackage(stockSpec(t), pack(t, c.tree)))
			if diff := cmp.Diff(c.want, faultsOf(t, srpm, timewait)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEditFaults(t *testing.T) {
	edit := func(file, find, replace string, times int) recipe.Edit {
		return recipe.Edit{File: file, Find: find, Replace: replace, Times: times}
	}
	const tcp = "include/net/tcp.h"
	for name, c := range map[string]struct {
		edits []recipe.Edit
		want  []source.Fault
	}{
		"nowhere": {[]recipe.Edit{edit(tcp, "#define TCP_TIMEWAIT_LEN  (60 * HZ)", "", 1)}, []source.Fault{
			{File: tcp, Entry: first, Want: "`#define TCP_TIMEWAIT_LEN  (60 * HZ)` once",
				Found: "it 0 times; the most similar is line 6: `#define TCP_TIMEWAIT_LEN (60*HZ) /* how long to wait */`"}}},
		"nothing alike": {[]recipe.Edit{edit(tcp, "zqzqzq", "", 1)}, []source.Fault{
			{File: tcp, Entry: first, Want: "`zqzqzq` once", Found: "it nowhere"}}},
		"too often": {[]recipe.Edit{edit(tcp, "#define TCP_", "", 1)}, []source.Fault{
			{File: tcp, Entry: first, Want: "`#define TCP_` once", Found: "it 3 times (lines 4, 6, 7)"}}},
		"too seldom": {[]recipe.Edit{edit(tcp, "TCP_FIN", "", 2)}, []source.Fault{
			{File: tcp, Entry: first, Want: "`TCP_FIN` 2 times", Found: "it once (line 7)"}}},
		"over lines": {[]recipe.Edit{edit(tcp, "5\n\n#define TCP_TIMEWAIT_LEN", "", 2)}, []source.Fault{
			{File: tcp, Entry: first, Want: "`5\\n\\n#define TCP_TIMEWAIT_LEN` 2 times", Found: "it once (line 4)"}}},
		"empty": {[]recipe.Edit{edit(tcp, "", "x", 1)}, []source.Fault{
			{File: tcp, Entry: first, Want: "a text to find", Found: "an empty one"}}},
		"no such file": {[]recipe.Edit{edit("net/include/tcp.h", "x", "y", 1)}, []source.Fault{
			{File: "net/include/tcp.h", Entry: first, Want: "this file in " + stockTar, Found: "no such file; one with that name is " + tcp}}},
		"outside": {[]recipe.Edit{edit("../etc/passwd", "x", "y", 1)}, []source.Fault{
			{File: "../etc/passwd", Entry: first, Want: "this file in " + stockTar, Found: "no such file"}}},
		"grown": {[]recipe.Edit{edit(tcp, "#endif", strings.Repeat("x", 16<<20), 1)}, []source.Fault{
			{File: tcp, Entry: first, Want: "at most 16 MiB when it is edited", Found: "16777376 bytes"}}},
		"the second sees the first": {[]recipe.Edit{edit(tcp, "60*HZ", "5*HZ", 1), edit("./"+tcp, "60*HZ", "6*HZ", 1)}, []source.Fault{
			{File: tcp, Entry: "edit 2 of the recipe", Want: "`60*HZ` once", Found: "it nowhere"}}},
		"the tag's own line": {[]recipe.Edit{edit("Makefile", "EXTRAVERSION =", "EXTRAVERSION = -mine", 1)}, []source.Fault{
			{File: "Makefile", Line: 4, Want: "an empty EXTRAVERSION", Found: "`EXTRAVERSION = -mine`"}}},
		"all at once": {[]recipe.Edit{edit(tcp, "#endif\n\n", "", 1), edit("COPYING", "GPLv3", "", 1), edit("a/b.c", "x", "", 1)}, []source.Fault{
			{File: "COPYING", Entry: "edit 2 of the recipe", Want: "`GPLv3` once", Found: "it 0 times; the most similar is line 1: `GPLv2`"},
			{File: tcp, Entry: first, Want: "`#endif\\n\\n` once", Found: "it 0 times; the most similar is line 9: `#endif`"},
			{File: "a/b.c", Entry: "edit 3 of the recipe", Want: "this file in " + stockTar, Found: "no such file"}}},
	} {
		t.Run(name, func(t *testing.T) {
			srpm := write(t, stockPackage(stockSpec(t), pack(t, stockTree())))
			if diff := cmp.Diff(c.want, faultsOf(t, srpm, recipe.Recipe{Tag: "namibuild", Edits: c.edits})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFaultsOfSpecAndTree checks that faults of the spec do not hide those of the
// tree.
func TestFaultsOfSpecAndTree(t *testing.T) {
	spec := strings.Replace(stockSpec(t), "%define distro_build 431.3.1", "", 1)
	tree := stockTree()
	tree[3].content = "EXTRAVERSION = .1\n"
	r := recipe.Recipe{Tag: "namibuild", Edits: []recipe.Edit{{File: "COPYING", Find: "MIT", Times: 1}}}
	got := faultsOf(t, write(t, stockPackage(spec, compress(t, "bzip2", pack(t, tree)))), r)
	if len(got) != 3 || got[0].File != "kernel.spec" || got[1].File != "COPYING" || got[2].File != "Makefile" {
		t.Errorf("%v", got)
	}
	text := (&source.MismatchError{Faults: got[1:]}).Error()
	want := "COPYING: edit 1 of the recipe: want `MIT` once, found it nowhere\n" +
		"Makefile:1: want an empty EXTRAVERSION, found `EXTRAVERSION = .1`"
	if text != want {
		t.Error(text)
	}
}

// TestEntryNamesTheRecipe checks that a fault names the file of the recipe, or, for one
// without a file, the recipe.
func TestEntryNamesTheRecipe(t *testing.T) {
	edits := []recipe.Edit{{File: "COPYING", Find: "GPLv2", Times: 1}, {File: "COPYING", Find: "MIT", Times: 1}}
	for want, r := range map[string]recipe.Recipe{
		"edit 2 of my.yaml":     {Name: "mine", Path: "some/my.yaml", Edits: edits},
		"edit 2 of recipe mine": {Name: "mine", Edits: edits},
	} {
		if got := faultsOf(t, stock(t), r); len(got) != 1 || got[0].Entry != want {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
}

// TestUnknownFamily checks that an error tells a spec of no family from one that lacks
// a place.
func TestUnknownFamily(t *testing.T) {
	for text, want := range map[string]bool{"Name: kernel\n": true, "%define kversion 1-2\n": false} {
		_, err := source.Inspect(t.Context(), at(t, write(t, stockPackage(text, pack(t, stockTree())))), recipe.Recipe{Tag: "namibuild"}, nil)
		var mismatch *source.MismatchError
		if !errors.As(err, &mismatch) || mismatch.UnknownFamily() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestBadTag checks that a tag must be one word of a release, and not a path.
func TestBadTag(t *testing.T) {
	for _, tag := range []string{"a-b", "../x", "a b", "%{x}", "a/b"} {
		got := faultsOf(t, stock(t), recipe.Recipe{Tag: tag})
		if len(got) != 1 || !strings.HasPrefix(got[0].Want, "a tag of") {
			t.Errorf("%s: %v", tag, got)
		}
	}
}
