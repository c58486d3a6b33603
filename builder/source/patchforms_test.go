package source_test

import (
	"archive/tar"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
	"namibuild/builder/source"
)

// numbered returns a file of so many different lines.
func numbered(first, last int) string {
	var b strings.Builder
	for i := first; i <= last; i++ {
		b.WriteString("line " + strings.Repeat("i", i) + "\n")
	}
	return b.String()
}

var small = files{
	"a.c": "one\ntwo\nthree\nfour\nfive\nsix\nseven\n", "sub/b.c": "b\n", "run": "x:#!/bin/sh\n", "empty": "", "bare": "no end",
}

// TestPatchForms checks other forms of patches than git's plain ones, against what
// the program patch makes of them.
func TestPatchForms(t *testing.T) {
	const fix = "@@ -2,3 +2,3 @@\n two\n-three\n+3\n four\n"
	for name, patch := range map[string]string{
		"old style":           "--- linux.orig/a.c\t2014-01-03 10:00:00.000000000 +0100\n+++ linux/a.c\t2014-01-04 10:00:00.000000000 +0100\n" + fix,
		"other name before":   "--- linux/a.c.orig\n+++ linux/a.c\n" + fix,
		"mail around it":      "From 1234 Mon Sep 17\nSubject: fix\n\n- a list\n+ and more\n---\n a.c | 2 +-\n\ndiff --git a/a.c b/a.c\nindex 1..2 100644\n--- a/a.c\n+++ b/a.c\n" + fix + "-- \n2.39.5\n\n",
		"counts left out":     "--- a/sub/b.c\n+++ b/sub/b.c\n@@ -1 +1 @@\n-b\n+B\n",
		"text behind @@":      "--- a/a.c\n+++ b/a.c\n@@ -2,3 +2,3 @@ int main(void)\n two\n-three\n+3\n four\n",
		"blank cut off":       "--- a/new.c\n+++ b/new.c\n@@ -0,0 +1,3 @@\n+a\n+\n+c\n--- a/new.c\n+++ b/new.c\n@@ -1,3 +1,3 @@\n-a\n+A\n\n c\n",
		"new and old":         "diff --git a/new b/new\nnew file mode 100755\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+#!/bin/sh\ndiff --git a/sub/b.c b/sub/b.c\ndeleted file mode 100644\n--- a/sub/b.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-b\n",
		"new of diff -N":      "diff -Nurp a/new b/new\n--- a/new\t1970-01-01 01:00:00.000000000 +0100\n+++ b/new\t2014-01-04 10:00:00.000000000 +0100\n@@ -0,0 +1,2 @@\n+x\n+y\n",
		"gone of diff -N":     "--- a/sub/b.c\t2014-01-04 10:00:00.000000000 +0100\n+++ b/sub/b.c\t1970-01-01 01:00:00.000000000 +0100\n@@ -1 +0,0 @@\n-b\n",
		"into an empty file":  "--- a/empty\n+++ b/empty\n@@ -0,0 +1 @@\n+x\n",
		"renamed":             "diff --git a/a.c b/z/a.c\nsimilarity index 90%\nrename from a.c\nrename to z/a.c\nindex 1..2 100644\n--- a/a.c\n+++ b/z/a.c\n" + fix,
		"renamed alone":       "diff --git a/a.c b/z.c\nsimilarity index 100%\nrename from a.c\nrename to z.c\n",
		"mode alone":          "diff --git a/run b/run\nold mode 100755\nnew mode 100644\n",
		"no end gone":         "--- a/bare\n+++ b/bare\n@@ -1 +1 @@\n-no end\n\\ No newline at end of file\n+an end\n",
		"no end kept":         "--- a/bare\n+++ b/bare\n@@ -1 +1,2 @@\n+first\n no end\n\\ No newline at end of file\n",
		"no end made":         "--- a/sub/b.c\n+++ b/sub/b.c\n@@ -1 +1 @@\n-b\n+b\n\\ No newline at end of file\n",
		"quoted":              "diff --git \"a/a.c\" \"b/a.c\"\n--- \"a/a.c\"\n+++ \"b/a.c\"\n" + fix,
		"without context":     "--- a/a.c\n+++ b/a.c\n@@ -3 +3 @@\n-three\n+3\n",
		"two hunks":           "--- a/a.c\n+++ b/a.c\n@@ -1,2 +1,3 @@\n+zero\n one\n two\n@@ -6,2 +7,2 @@\n six\n-seven\n+7\n",
		"one file twice":      "--- a/a.c\n+++ b/a.c\n" + fix + "--- a/a.c\n+++ b/a.c\n@@ -2,3 +2,3 @@\n two\n-3\n+III\n four\n",
		"renamed, then again": "diff --git a/a.c b/z.c\nrename from a.c\nrename to z.c\ndiff --git a/z.c b/z.c\n--- a/z.c\n+++ b/z.c\n" + fix,
		"gone and made again": "diff --git a/sub/b.c b/sub/b.c\ndeleted file mode 100644\n--- a/sub/b.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-b\ndiff --git a/sub/b.c b/sub/b.c\nnew file mode 100644\n--- /dev/null\n+++ b/sub/b.c\n@@ -0,0 +1 @@\n+c\n",
	} {
		t.Run(name, func(t *testing.T) {
			want := small.theirs(t, patch, gnuPatch...)
			if name == "renamed, then again" { // patch needs two files for that
				want = small.theirs(t, patch, gitApply...)
			}
			got, _, faults := small.ours(t, patch)
			if want == nil || faults != nil {
				t.Fatalf("patch: %v, faults: %v", want, faults)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-patch +ours\n%s", diff)
			}
		})
	}
}

// TestPatchNames checks names with blanks, which patch does not accept, and more or
// fewer folders, against what git does.
func TestPatchNames(t *testing.T) {
	tree := files{"two words/a b.c": "x:a\n", "ü.c": "ü\n", "deep/er/c": "c\n"}
	patch := "diff --git a/two words/a b.c b/two words/a b.c\nold mode 100755\nnew mode 100644\n" +
		"diff --git a/two words/new b/two words/new\nnew file mode 100644\nindex 0000000..e69de29\n" +
		"diff --git \"a/\\303\\274.c\" \"b/\\303\\274 \\303\\274.c\"\nrename from \"\\303\\274.c\"\nrename to \"\\303\\274 \\303\\274.c\"\n"
	got, _, faults := tree.ours(t, patch)
	if diff := cmp.Diff(tree.theirs(t, patch, gitApply...), got); diff != "" || faults != nil {
		t.Errorf("-git +ours %v\n%s", faults, diff)
	}
	for strip, front := range []string{"", "a/", "a/b/"} {
		r := recipe.Recipe{Patches: []recipe.Patch{{File: "f", Strip: strip, Content: []byte("--- " + front + "deep/er/c\n+++ " + front + "deep/er/c\n@@ -1 +1 @@\n-c\n+C\n")}}}
		preview, err := source.Inspect(t.Context(), at(t, tree.srpm(t)), r, nil)
		if err != nil || len(preview.Changes) != 1 || preview.Changes[0].Path != stockDir+"/deep/er/c" {
			t.Errorf("strip %d: %+v %v", strip, preview.Changes, err)
		}
	}
}

// TestPatchOffset checks that moved hunks are found at the nearest place, and that a
// note names them.
func TestPatchOffset(t *testing.T) {
	tree := files{"f": numbered(1, 30)}
	changed := files{"f": strings.Replace(strings.Replace(tree["f"], "line "+strings.Repeat("i", 10)+"\n", "ten\n", 1), "line "+strings.Repeat("i", 20)+"\n", "", 1)}
	patch := gitDiff(t, tree, changed, 3)
	moved := files{"f": "more\nlines\n" + numbered(1, 15) + "and\n" + numbered(16, 30)}
	got, preview, faults := moved.ours(t, patch)
	if faults != nil {
		t.Fatal(faults)
	}
	if diff := cmp.Diff(moved.theirs(t, patch, gnuPatch...), got); diff != "" {
		t.Errorf("-patch +ours\n%s", diff)
	}
	want := []string{
		"1.patch:5: hunk `@@ -7,7 +7,7 @@` fits f at line 9, 2 lines below the line in its head",
		"1.patch:14: hunk `@@ -17,7 +17,6 @@` fits f at line 20, 3 lines below the line in its head",
	}
	if diff := cmp.Diff(want, preview.Notes); diff != "" {
		t.Error(diff)
	}
	_, preview, _ = files{"f": numbered(2, 30)}.ours(t, patch)
	if len(preview.Notes) != 2 || !strings.HasSuffix(preview.Notes[0], "at line 6, 1 line above the line in its head") {
		t.Errorf("%q", preview.Notes)
	}
}

// TestPatchesThenEdits checks the order: patches, edits, EXTRAVERSION. Patched files
// are at the end of the tarball, under the new top directory.
func TestPatchesThenEdits(t *testing.T) {
	r := timewait
	r.Patches = patchRecipe(
		"--- a/include/net/tcp.h\n+++ b/include/net/tcp.h\n@@ -5,4 +5,5 @@\n \n #define TCP_TIMEWAIT_LEN (60*HZ) /* how long to wait */\n+#define TCP_MINE 1\n #define TCP_FIN_TIMEOUT TCP_TIMEWAIT_LEN\n \n",
		"diff --git a/net/new.c b/net/new.c\nnew file mode 100644\n--- /dev/null\n+++ b/net/new.c\n@@ -0,0 +1 @@\n+int mine;\n").Patches
	r.Edits = append([]recipe.Edit{{File: "net/new.c", Find: "mine", Replace: "ours", Times: 1}, {File: "COPYING", Find: "GPLv2", Replace: "GPL v2", Times: 1}}, r.Edits...)
	preview, got := prepare(t, stock(t), r)
	tree := unpack(t, strings.NewReader(content(t, got, "SOURCES/"+newDir+".tar.bz2")))
	tcp := content(t, tree, newDir+"/include/net/tcp.h")
	if !strings.Contains(tcp, "(5*HZ) /* how long to wait */\n#define TCP_MINE 1\n") {
		t.Error(tcp)
	}
	made := tree[len(tree)-1]
	want := item{tar.Header{Typeflag: tar.TypeReg, Name: newDir + "/net/new.c", Mode: 0o644, Uname: "root", Gname: "root", ModTime: made.ModTime}, "int ours;\n"}
	if diff := cmp.Diff(want, made, cmp.AllowUnexported(item{})); diff != "" || made.ModTime.Unix() != epoch {
		t.Error(diff, made.ModTime)
	}
	var paths []string
	for _, c := range preview.Changes {
		paths = append(paths, strings.TrimPrefix(c.Path, newDir+"/"))
	}
	if diff := cmp.Diff([]string{"kernel.spec", "include/net/tcp.h", "net/new.c", "Makefile", "COPYING"}, paths); diff != "" {
		t.Error(diff)
	}
}

// TestPatchStopsEarly checks that Inspect reads the tarball up to the last changed
// file, and to its end if a patch adds a file.
func TestPatchStopsEarly(t *testing.T) {
	whole := pack(t, stockTree())
	bad := append(whole[:len(whole)-1024], noise(3<<20)...) // noise in the place of the end mark
	srpm := write(t, stockPackage(stockSpec(t), compress(t, "bzip2", bad)))
	if _, err := source.Inspect(t.Context(), at(t, srpm), patchRecipe("--- a/COPYING\n+++ b/COPYING\n@@ -1 +1 @@\n-GPLv2\n+GPL\n"), nil); err != nil {
		t.Error(err)
	}
	_, err := source.Inspect(t.Context(), at(t, srpm), patchRecipe("--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n"), nil)
	if err == nil || !strings.Contains(err.Error(), "unpacking") {
		t.Error(err)
	}
}

// TestPatchOfALink checks that a patch changes one of two names of a file.
func TestPatchOfALink(t *testing.T) {
	r := patchRecipe("--- a/COPYING\n+++ b/COPYING\n@@ -1 +1 @@\n-GPLv2\n+GPL\n")
	r.Tag = "namibuild"
	_, got := prepare(t, stock(t), r)
	tree := unpack(t, strings.NewReader(content(t, got, "SOURCES/"+newDir+".tar.bz2")))
	if one, other := content(t, tree, newDir+"/COPYING"), content(t, tree, newDir+"/LICENSE"); one != "GPL\n" || other != "GPLv2\n" {
		t.Errorf("%q and %q", one, other)
	}
}
