package source

import (
	"bytes"
	"io/fs"
	"testing"
	"time"

	"namibuild/builder/recipe"
)

// FuzzPatch checks that any patch is parsed, or refused with a line, that its names
// stay in the tree, and that a hunk that fits changes nothing but its lines.
func FuzzPatch(f *testing.F) {
	text := []byte("one\ntwo\nthree\nfour\nfive\nsix\nseven\n")
	for _, patch := range []string{
		"--- a/f\n+++ b/f\n@@ -2,3 +2,3 @@\n two\n-three\n+3\n four\n",
		"--- a/f\t1970-01-01 00:00:00 +0000\n+++ b/f\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n",
		"diff --git a/f b/g\nrename from f\nrename to g\nold mode 100644\nnew mode 100755\n--- a/f\n+++ b/g\n@@ -6,2 +6,2 @@\n six\n-seven\n+7\n\\ No newline at end of file\n",
		"diff --git \"a/\\303\\274\" \"b/\\303\\274\"\nnew file mode 100644\n",
		"--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n+0\n one\n two\n@@ -3,2 +4,1 @@\n\n-four\n",
		"--- a/f\n+++ /dev/null\n@@ -1,7 +0,0 @@\n-one\n-two\n-three\n-four\n-five\n-six\n-seven\n",
	} {
		f.Add([]byte(patch), text, 1)
	}
	f.Fuzz(func(t *testing.T, patch, text []byte, strip int) {
		list, fault := parsePatch(recipe.Patch{File: "p", Strip: max(0, min(strip, 9)), Content: patch})
		if fault != nil {
			if fault.File != "p" || fault.Line > bytes.Count(patch, []byte("\n"))+2 || len(list) > 0 {
				t.Fatalf("%v", fault)
			}
			return
		}
		for _, p := range list {
			for _, name := range []string{p.old, p.new} {
				if name != "" && (!fs.ValidPath(name) || name == ".") {
					t.Fatalf("%q leads out of the tree", name)
				}
			}
			checkApplied(t, p, text)
		}
	})
}

// checkApplied checks what apply makes of a text against the hunks.
func checkApplied(t *testing.T, p filePatch, text []byte) {
	out, notes, faults := p.apply("f", bytes.Clone(text))
	if len(faults) > 0 {
		return
	}
	size := len(text)
	for _, h := range p.hunks {
		size += len(h.new) - len(h.old)
		if !bytes.Contains(text, h.old) {
			t.Fatalf("hunk %s fits %q", h.head, text)
		}
	}
	if len(out) != size || len(notes) > len(p.hunks) {
		t.Fatalf("%d bytes, want %d; %q", len(out), size, notes)
	}
	// The reverse of the last hunk restores the text if its place is unique.
	if len(p.hunks) == 1 && bytes.Count(out, p.hunks[0].new) == 1 && len(p.hunks[0].new) > 0 {
		if back := bytes.Replace(out, p.hunks[0].new, p.hunks[0].old, 1); !bytes.Equal(back, text) {
			t.Fatalf("reversing %q gives %q, want %q", out, back, text)
		}
	}
}

// FuzzOverlay checks that any patches, in any order, leave a consistent tree, or
// faults.
func FuzzOverlay(f *testing.F) {
	f.Add([]byte("diff --git a/f b/g\nrename from f\nrename to g\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n"))
	f.Add([]byte("--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-f\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n--- a/g\n+++ b/g\n@@ -1 +1 @@\n-g\n+h\n"))
	f.Fuzz(func(t *testing.T, patch []byte) {
		list, fault := parsePatch(recipe.Patch{File: "p", Strip: 1, Content: patch})
		if fault != nil {
			return
		}
		o := newOverlay(list, time.Time{})
		for name, text := range map[string]string{"f": "f\n", "g": "g\n", "d/e": "e\n"} {
			if n := o.byPath[name]; n != nil {
				n.seen, n.now, n.text, n.shipped = true, name, []byte(text), &shippedFile{text: []byte(text)}
				o.now[name] = n
			}
		}
		if len(o.apply("t")) > 0 {
			return
		}
		stand := 0
		for _, n := range o.nodes {
			if n.now != "" {
				stand++
				if o.now[n.now] != n {
					t.Fatalf("%s is two files", n.now)
				}
			}
		}
		if stand != len(o.now) {
			t.Fatalf("%d files have a path, %d are known", stand, len(o.now))
		}
		_ = Preview{Changes: o.changes("top")}.Diff()
	})
}
