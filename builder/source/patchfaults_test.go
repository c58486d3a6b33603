package source_test

import (
	"archive/tar"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
	"namibuild/builder/source"
)

// TestPatchSyntax checks that faults of a patch have its line.
func TestPatchSyntax(t *testing.T) {
	const head = "--- a/a.c\n+++ b/a.c\n"
	for patch, want := range map[string]string{
		"":                                 "1.patch: want a unified diff, found none",
		"*** a/a.c\n--- b/a.c\n":           "1.patch: want a unified diff, found none",
		"@@ -1 +1 @@\n-a\n+b\n":            "1.patch:1: want lines --- and +++ in front of a hunk, found none",
		head + "text\n":                    "1.patch:3: want a hunk behind --- and +++, found none",
		head + "@@ -1 +1 @@\n-a\n":         "1.patch:5: want 0 old and 1 new lines more in hunk `@@ -1 +1 @@`, found ``",
		head + "@@ -1 +1 @@\n-a\n+b":       "1.patch:5: want 0 old and 1 new lines more in hunk `@@ -1 +1 @@`, found `+b`",
		head + "@@ -1 +1 @@\n-a\nb\n":      "1.patch:5: want 0 old and 1 new lines more in hunk `@@ -1 +1 @@`, found `b\\n`",
		head + "@@ -1 +1 @@\n-a\n-b\n":     "1.patch:5: want 0 old and 1 new lines more in hunk `@@ -1 +1 @@`, found `-b\\n`",
		head + "@@ -1 +1 @@\n-a\n+b\n+c\n": "1.patch:6: want the end of hunk `@@ -1 +1 @@`, found `+c\\n`",
		head + "@@ -1,2 +1,2 @@\n a\n\\ No newline\n-b\n+c\n":                      "1.patch:5: want 1 old and 1 new lines more in hunk `@@ -1,2 +1,2 @@`, found `\\\\ No newline\\n`",
		head + "@@ -1 +1 @@\n a\n":                                                 "1.patch:3: want a hunk that changes something, found `@@ -1 +1 @@`",
		head + "@@ -1,99999999999999999999 +1 @@\n a\n":                            "1.patch:3: want line numbers, found `@@ -1,99999999999999999999 +1 @@`",
		"--- a.c\n+++ a.c\n@@ -1 +1 @@\n-a\n+b\n":                                  "1.patch:1: want a name with 1 or more folders to strip, found `a.c`",
		"--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -1 +1 @@\n-a\n+b\n":    "1.patch:1: want a path inside the tree, found `a/../../etc/passwd`",
		"--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n":                      "1.patch:1: want the name of a file, found /dev/null twice",
		"--- \"a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-a\n+b\n":                            "1.patch:1: want a quoted name, found `\"a/a.c`",
		"--- \"a/\\001\"\n+++ b/a.c\n@@ -1 +1 @@\n-a\n+b\n":                        "1.patch:1: want a path inside the tree, found `a/\\x01`",
		"diff --git a/x b/x\nnew file mode 120000\n":                               "1.patch:2: want regular files, found a symbolic link (mode 120000)",
		"diff --git a/x b/x\nnew file mode 160000\n":                               "1.patch:2: want regular files, found a submodule (mode 160000)",
		"diff --git a/x b/x\nold mode 7\n":                                         "1.patch:2: want mode 100644 or 100755, found `7`",
		"diff --git a/x b/y\ncopy from x\n":                                        "1.patch:2: want files that are made, changed, renamed or deleted, found a copy; git format-patch --no-renames writes it out",
		"diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\n":                "1.patch:3: want text, found a binary file",
		"diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n": "1.patch:3: want text, found a binary file",
		"\ndiff --git a/x b/x\nindex 1..2 100644\n":                                "1.patch:2: want a change of x, found none",
		"diff --git a/x b/y\nold mode 100644\nnew mode 100755\n":                   "1.patch:1: want the name of a file, found none",
		"diff --git a/x b/x\nnew file mode 100644\ndeleted file mode 100644\n":     "1.patch:1: want a file before or after, found neither",
		"diff --git a/x b/y\n--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n":              "1.patch:1: want one name or a rename, found `x` and `y`",
		"diff --git a/x b/x\n--- a/x\n+++ b/x\n":                                   "1.patch:4: want a hunk behind --- and +++, found none",
		"diff --git a/x b/y\nrename from ../x\nrename to y\n":                      "1.patch:2: want a path inside the tree, found `../x`",
	} {
		if _, _, faults := small.ours(t, patch); faults == nil || faults.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", patch, faults, want)
		}
	}
}

// TestPatchConflicts checks that faults have the line in the patch, the hunk, and
// where it nearly fits.
func TestPatchConflicts(t *testing.T) {
	const head = "--- a/a.c\n+++ b/a.c\n"
	tree := files{"a.c": "one\ntwo\nthree\nfour\nfive\nsix\nseven\n", "sub/b.c": "b\n"}
	for name, c := range map[string]struct{ patch, want string }{
		"nearly": {head + "@@ -2,4 +2,4 @@\n two\n-3\n+III\n four\n five\n",
			"1.patch:3: want hunk `@@ -2,4 +2,4 @@` to fit a.c, found it nearly at line 2 (3 of 4 lines), where line 3 is `three\\n` instead of `3\\n`"},
		"nothing": {head + "@@ -2,3 +2,3 @@\n x\n-y\n+Y\n z\n",
			"1.patch:3: want hunk `@@ -2,3 +2,3 @@` to fit a.c, found nothing similar"},
		"made already": {head + "@@ -1,3 +1,3 @@\n one\n-2\n+two\n three\n",
			"1.patch:3: want hunk `@@ -1,3 +1,3 @@` to fit a.c, found it applied already, at line 1"},
		"behind the end": {head + "@@ -6,3 +6,3 @@\n six\n-seven\n+7\n eight\n",
			"1.patch:3: want hunk `@@ -6,3 +6,3 @@` to fit a.c, found it nearly at line 6 (2 of 3 lines), where the file ends before `eight\\n`"},
		"not at the end": {head + "@@ -2,2 +2,2 @@\n two\n-three\n+3\n",
			"1.patch:3: want hunk `@@ -2,2 +2,2 @@` to fit a.c, found its lines at line 2, and not at the end of the file, where a hunk with less context on that side must be"},
		"not at the begin": {head + "@@ -1,2 +1,2 @@\n-two\n+2\n three\n",
			"1.patch:3: want hunk `@@ -1,2 +1,2 @@` to fit a.c, found its lines at line 2, and not at the beginning of the file, where a hunk with less context on that side must be"},
		"out of order": {head + "@@ -4,3 +4,3 @@\n four\n-five\n+5\n six\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n",
			"1.patch:8: want hunk `@@ -1,3 +1,3 @@` to fit a.c, found its lines only at line 1, above the hunk before it"},
		"nothing says where": {head + "@@ -0,0 +1 @@\n+x\n",
			"1.patch:3: want hunk `@@ -0,0 +1 @@` to fit a.c, found 34 bytes, and no line in the hunk that tells where"},
		"two hunks": {head + "@@ -1,2 +1,2 @@\n-1\n+I\n two\n@@ -6,2 +6,2 @@\n six\n-7\n+VII\n",
			"1.patch:3: want hunk `@@ -1,2 +1,2 @@` to fit a.c, found it nearly at line 1 (1 of 2 lines), where line 1 is `one\\n` instead of `1\\n`\n" +
				"1.patch:7: want hunk `@@ -6,2 +6,2 @@` to fit a.c, found it nearly at line 6 (1 of 2 lines), where line 7 is `seven\\n` instead of `7\\n`"},
		"no such file": {"--- a/net/b.c\n+++ b/net/b.c\n@@ -1 +1 @@\n-b\n+B\n--- a/net/b.c\n+++ b/net/b.c\n@@ -1 +1 @@\n-B\n+b\n",
			"1.patch:1: want net/b.c in " + stockTar + ", found no such file; one with that name is sub/b.c"},
		"made twice": {"--- /dev/null\n+++ b/a.c\n@@ -0,0 +1 @@\n+b\n",
			"1.patch:1: want no a.c in " + stockTar + ", to make it, found one of 34 bytes"},
		"renamed onto another": {"diff --git a/a.c b/sub/b.c\nrename from a.c\nrename to sub/b.c\n",
			"1.patch:1: want no sub/b.c in " + stockTar + ", to rename a.c, found one of 2 bytes"},
		"not all removed": {"--- a/a.c\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n",
			"1.patch:1: want all of a.c to be removed, found 26 bytes more in it"},
		"below a file": {"--- /dev/null\n+++ b/a.c/x\n@@ -0,0 +1 @@\n+b\n",
			"a.c: want a directory, for a patch, found a file"},
		"below a file of the patch": {"--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+b\n--- /dev/null\n+++ b/n/x\n@@ -0,0 +1 @@\n+b\n",
			"n: want a directory, for n/x, found a file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, faults := tree.ours(t, c.patch)
			if faults == nil || faults.Error() != c.want {
				t.Errorf("got %v\nwant %s", faults, c.want)
			}
			if made := tree.theirs(t, c.patch, gitApply...); made != nil && name != "out of order" {
				t.Errorf("git apply applies it: %v", made)
			}
		})
	}
}

// TestPatchTreeFaults checks entries that cannot be patched, and edits that depend on
// the patches.
func TestPatchTreeFaults(t *testing.T) {
	const patch = "--- a/include/net/tcp.h\n+++ b/include/net/tcp.h\n@@ -1,2 +1,2 @@\n #ifndef _TCP_H\n-#define _TCP_H\n+#define TCP_H\n"
	gone := "--- a/COPYING\n+++ /dev/null\n@@ -1 +0,0 @@\n-GPLv2\n"
	made := "--- /dev/null\n+++ b/include/asm/new.h\n@@ -0,0 +1 @@\n+x\n"
	big := append(stockTree(), file(stockDir+"/big", strings.Repeat("x", 16<<20+1)))
	for name, c := range map[string]struct {
		tree  []item
		patch string
		edits []recipe.Edit
		want  string
	}{
		"symbolic link":       {[]item{link(tar.TypeSymlink, stockDir+"/COPYING", "x")}, gone, nil, "COPYING: want a regular file to edit, found a symbolic link to `x`"},
		"below a link":        {stockTree(), made, nil, "include/asm: want a directory, for a patch, found a symbolic link to `net`"},
		"too big":             {big, "--- a/big\n+++ b/big\n@@ -1 +1 @@\n-x\n+y\n", nil, "big: want at most 16 MiB to edit, found 16777217 bytes"},
		"empty":               {nil, made, nil, stockTar + ": want a kernel tree, found an empty archive"},
		"edit of a file gone": {stockTree()[:8], gone, []recipe.Edit{{File: "COPYING", Find: "x", Times: 1}}, "COPYING: edit 1 of the recipe: want this file after the patches, found no such file"},
		"edit of text gone": {stockTree(), strings.Replace(patch, "@@ -1,2 +1,2 @@", "@@ -1,3 +1,3 @@", 1) + " \n", []recipe.Edit{{File: "include/net/tcp.h", Find: "_TCP_H", Times: 2}},
			"include/net/tcp.h: edit 1 of the recipe: want `_TCP_H` 2 times, found it once (line 1)"},
	} {
		t.Run(name, func(t *testing.T) {
			r := patchRecipe(c.patch)
			r.Edits = c.edits
			faults := faultsOf(t, write(t, stockPackage(stockSpec(t), pack(t, c.tree))), r)
			if got := (&source.MismatchError{Faults: faults}).Error(); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		r := patchRecipe("nothing", patch, "@@ -1 +1 @@\n")
		r.Edits = []recipe.Edit{{In: recipe.InSpec, Find: "zqzqzq", Times: 1}}
		want := []source.Fault{
			{File: "kernel.spec", Entry: first, Want: "`zqzqzq` once", Found: "it nowhere"},
			{File: "1.patch", Want: "a unified diff", Found: "none"},
			{File: "3.patch", Line: 1, Want: "lines --- and +++ in front of a hunk", Found: "none"},
		}
		if diff := cmp.Diff(want, faultsOf(t, stock(t), r)); diff != "" {
			t.Error(diff)
		}
	})
}
