package source_test

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/hosttest"
	"namibuild/builder/recipe"
	"namibuild/builder/source"
)

// files are the regular files of a tree. The content of a program has "x:" in
// front.
type files map[string]string

func (f files) srpm(t testing.TB) string {
	t.Helper()
	var items []item
	for _, name := range slices.Sorted(maps.Keys(f)) {
		text, program := strings.CutPrefix(f[name], "x:")
		it := file(stockDir+"/"+name, text)
		if program {
			it.Mode = 0o755
		}
		items = append(items, it)
	}
	return write(t, stockPackage(stockSpec(t), pack(t, items)))
}

// lay writes the files to a folder.
func (f files) lay(t testing.TB, dir string) {
	t.Helper()
	for name, text := range f {
		mode, name := fs.FileMode(0o644), filepath.Join(dir, name)
		text, program := strings.CutPrefix(text, "x:")
		if program {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
}

// lies reads the files of a folder.
func lies(t testing.TB, dir string) files {
	t.Helper()
	f := files{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		info, _ := d.Info()
		rel, _ := filepath.Rel(dir, name)
		f[rel] = string(data)
		if info.Mode()&0o100 != 0 {
			f[rel] = "x:" + f[rel]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// ours applies patches with Prepare. The files are nil if there were faults.
func (f files) ours(t testing.TB, patches ...string) (files, source.Preview, *source.MismatchError) {
	t.Helper()
	r, srpm := patchRecipe(patches...), f.srpm(t)
	seen, err := source.Inspect(t.Context(), at(t, srpm), r, nil)
	if wrong, ok := err.(*source.MismatchError); ok {
		return nil, source.Preview{}, wrong
	}
	if err != nil {
		t.Fatal(err)
	}
	preview, got := prepare(t, srpm, r)
	if diff := cmp.Diff(preview, seen); diff != "" {
		t.Error("Inspect and Prepare return different previews", diff)
	}
	tree := files{}
	for _, it := range unpack(t, strings.NewReader(content(t, got, "SOURCES/"+stockTar))) {
		name := strings.TrimPrefix(it.Name, stockDir+"/")
		if _, twice := tree[name]; twice || it.Typeflag != tar.TypeReg {
			t.Fatalf("%s is in it twice, or is not a file", name)
		}
		if tree[name] = it.content; it.Mode&0o100 != 0 {
			tree[name] = "x:" + it.content
		}
	}
	return tree, preview, nil
}

func patchRecipe(patches ...string) recipe.Recipe {
	var r recipe.Recipe
	for i, p := range patches {
		r.Patches = append(r.Patches, recipe.Patch{File: fmt.Sprintf("%d.patch", i+1), Strip: 1, Content: []byte(p)})
	}
	return r
}

// theirs applies patches with another program. The files are nil if it failed.
func (f files) theirs(t testing.TB, patch string, program ...string) files {
	t.Helper()
	dir := t.TempDir()
	f.lay(t, dir)
	cmd := exec.Command(hosttest.Program(t, program[0]), program[1:]...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(patch)
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "LC_ALL=C")
	if err := cmd.Run(); err != nil {
		if _, refused := err.(*exec.ExitError); !refused {
			t.Fatal(err)
		}
		return nil
	}
	return lies(t, dir)
}

var (
	gnuPatch = []string{"patch", "-p1", "-f", "-s", "--fuzz=0", "--no-backup-if-mismatch"}
	gitApply = []string{"git", "apply", "-p1"}
)

// gitDiff returns git's diff of two trees, with renames.
func gitDiff(t testing.TB, before, after files, context int) string {
	t.Helper()
	dir := t.TempDir()
	before.lay(t, filepath.Join(dir, "a"))
	after.lay(t, filepath.Join(dir, "b"))
	cmd := exec.Command(hosttest.Program(t, "git"), "diff", "--no-index", "--no-prefix", "-M50", fmt.Sprintf("-U%d", context), "a", "b")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+dir, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.Output()
	if exit, is := err.(*exec.ExitError); err != nil && (!is || exit.ExitCode() != 1) {
		t.Fatal(err)
	}
	// git compares two folders here, and writes a/x and b/x in renames too.
	text := strings.ReplaceAll(string(out), "rename from a/", "rename from ")
	return strings.ReplaceAll(text, "rename to b/", "rename to ")
}

// TestPatchAgrees applies random patches to trees that have changed meanwhile, with
// patch, git apply and Prepare, and compares all files.
func TestPatchAgrees(t *testing.T) {
	made, moved, refused, apart := 0, 0, 0, 0
	for seed := range uint64(120) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		base := randomTree(rnd)
		patch := gitDiff(t, base, changed(rnd, base, true), 1+rnd.IntN(4))
		tree := base
		if seed%3 > 0 {
			tree = changed(rnd, base, false)
		}
		if patch == "" {
			continue
		}
		gnu, git := tree.theirs(t, patch, gnuPatch...), tree.theirs(t, patch, gitApply...)
		got, preview, faults := tree.ours(t, patch)
		if gnu == nil && git == nil {
			refused++
			if faults == nil {
				t.Fatalf("seed %d: only Prepare applies\n%s", seed, patch)
			}
			continue
		}
		if gnu == nil || git == nil || !maps.Equal(gnu, git) {
			apart++ // the two differ: Prepare fails, or does the same as patch
			if gnu != nil && got != nil && !maps.Equal(gnu, got) {
				t.Fatalf("seed %d: -patch +ours\n%s\n%s", seed, cmp.Diff(gnu, got), patch)
			}
			continue
		}
		if diff := cmp.Diff(gnu, got); diff != "" {
			t.Fatalf("seed %d: -patch +ours %v\n%s\n%s", seed, faults, diff, patch)
		}
		made++
		if len(preview.Notes) > 0 {
			moved++
		}
		// The diff of all changes gives the same tree.
		diff := strings.ReplaceAll(preview.Diff(), stockDir+"/", "")
		if again := tree.theirs(t, diff, gnuPatch...); !maps.Equal(again, got) {
			t.Fatalf("seed %d: the diff of all changes gives another tree: %s\n%s", seed, cmp.Diff(got, again), diff)
		}
	}
	t.Logf("%d patches applied, %d of them moved, %d refused; for %d the two other programs differ", made, moved, refused, apart)
	if made < 40 || moved < 10 || refused < 3 {
		t.Error("too few of one kind for the test")
	}
}

// randomTree returns files with few different lines, so that hunks fit several places.
func randomTree(rnd *rand.Rand) files {
	f := files{}
	for i := range 2 + rnd.IntN(4) {
		var text strings.Builder
		for range rnd.IntN(60) {
			text.WriteString(randomLine(rnd))
		}
		name := fmt.Sprintf("dir%d/file%d.c", rnd.IntN(3), i)
		f[name] = strings.TrimSuffix(text.String(), []string{"", "", "\n"}[rnd.IntN(3)])
		if rnd.IntN(4) == 0 {
			f[name] = "x:" + f[name]
		}
	}
	return f
}

func randomLine(rnd *rand.Rand) string {
	return []string{"\n", "{\n", "}\n", "\treturn 0;\n", "-- x\n", "++ y\n", fmt.Sprintf("line %d\n", rnd.IntN(200))}[rnd.IntN(7)]
}

// changed returns the tree with lines added and removed. With all, files are also
// added, deleted, renamed and made programs.
func changed(rnd *rand.Rand, f files, all bool) files {
	next := files{}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		text, program := strings.CutPrefix(f[name], "x:")
		lines := strings.SplitAfter(text, "\n")
		for range rnd.IntN(4) {
			at := rnd.IntN(len(lines))
			if rnd.IntN(2) == 0 {
				lines = slices.Insert(lines, at, randomLine(rnd))
			} else if strings.HasSuffix(lines[at], "\n") {
				lines = slices.Delete(lines, at, at+1)
			}
		}
		text = strings.Join(lines, "")
		switch what := rnd.IntN(10); {
		case !all || what > 3:
		case what == 0:
			continue
		case what == 1:
			name = "new/" + name
		case what == 2:
			program = !program
		case what == 3:
			next["made/"+name] = strings.Repeat(randomLine(rnd), rnd.IntN(3))
		}
		if program {
			text = "x:" + text
		}
		next[name] = text
	}
	return next
}
