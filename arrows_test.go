package namibuild_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "namibuild"

// floors are the packages of this module from the top of the house down. A
// package imports from lower floors only, a neighbour not either.
var floors = [][]string{
	{"cmd"}, // and all below it
	{"builder", "builder/release", "builder/prove"},
	{"builder/sign", "builder/repodata", "builder/sbom", "builder/provenance", "builder/oci", "builder/boot"},
	{"builder/set", "builder/image"},
	{"builder/fetch", "builder/source", "builder/engine", "builder/artifact", "builder/compare", "builder/leak", "builder/buildroot", "builder/modkey", "builder/buildlog"},
	{"builder/plan"},
	{"builder/recipe", "builder/rpm", "builder/event", "builder/durable", "."},
	{"builder/pgp", "builder/unpack"},
}

// engineRoom is the only package that knows Docker and BuildKit: these modules.
const engineRoom = "builder/engine"

var engineOnly = []string{"github.com/docker/", "github.com/moby/", "github.com/containerd/", "github.com/tonistiigi/"}

// unpackRoom is the only package that decompresses with these libraries. (gzip and
// zstd are missing, because packages that only compress import the same ones.)
const unpackRoom = "builder/unpack"

var unpackOnly = []string{"compress/bzip2", "github.com/cosnicolaou/pbzip2", "github.com/pierrec/lz4", "github.com/therootcompany/xz", "github.com/ulikunitz/xz"}

// logrus is what BuildKit logs with: the engine takes it to keep BuildKit quiet.
const logrus = "github.com/sirupsen/logrus"

// A library does not log, print, exit or look at the clock: these packages and
// these names of packages are for cmd.
var (
	commandPackages = []string{"log", "log/slog", logrus}
	commandNames    = map[string][]string{
		"fmt":  {"Print", "Printf", "Println"},
		"os":   {"Exit", "Stdin", "Stdout", "Stderr"},
		"time": {"Now", "Since", "Until"},
	}
)

func TestArrowsPointDown(t *testing.T) {
	files := goFiles(t, os.DirFS("."))
	for _, dir := range []string{".", "cmd/namibuild", "builder", "builder/engine", "builder/rpm", "builder/rpm/rpmtest"} {
		if !slices.ContainsFunc(files, func(f goFile) bool { return f.dir() == dir }) {
			t.Errorf("no Go file of %s was looked at", dir)
		}
	}
	for _, fault := range faults(files) {
		t.Error(fault)
	}
}

// TestWrongArrowsAreFound plants every kind of fault, and beside each what is
// allowed and looks like it.
func TestWrongArrowsAreFound(t *testing.T) {
	house := map[string]string{
		"embed.go":                                `package namibuild; import _ "embed"`,
		"cmd/namibuild/main.go":                   `package main; import ("os"; "time"; "namibuild"; "namibuild/builder/rpm"; _ "github.com/sirupsen/logrus"); func main() { time.Now(); os.Exit(1) }`,
		"cmd/other/main.go":                       `package main; import _ "namibuild/cmd/namibuild"`,
		"cmd/namibuild/docker.go":                 `package main; import _ "github.com/docker/docker/client"`,
		"cmd/namibuild/e2e_test.go":               `package main; import _ "github.com/docker/docker/client"`,
		"builder/builder.go":                      `package builder; import ("namibuild/builder/engine"; "namibuild/builder/sign"; "namibuild/cmd/namibuild")`,
		"builder/sign/sign.go":                    `package sign; import ("namibuild/builder/artifact"; "namibuild/builder")`,
		"builder/engine/engine.go":                `package engine; import ("github.com/moby/buildkit/client"; "github.com/sirupsen/logrus"; "log"; "namibuild/builder/fetch")`,
		"builder/engine/e_test.go":                `package engine_test; import ("os"; "namibuild/builder/engine"; "namibuild/builder/rpm/rpmtest"; "namibuild/builder/source"); func f() { os.Exit(1) }`,
		"builder/fetch/fetch.go":                  `package fetch; import ("github.com/docker/docker/client"; "namibuild/builder/rpm/rpmtest"; "namibuild/builder/plan")`,
		"builder/fetch/fetch_test.go":             `package fetch; import ("namibuild/builder/rpm/rpmtest"; "namibuild/builder/engine/enginetest")`,
		"builder/plan/plan.go":                    `package plan; import ("log"; "log/slog"; "github.com/sirupsen/logrus"; "namibuild/builder/recipe"; "namibuild/builder/plan")`,
		"builder/recipe/recipe.go":                `package recipe; import ("fmt"; "namibuild"; "os"; clock "time"); var now = clock.Now; func f() { fmt.Println(os.Stdout); fmt.Sprint(clock.Unix(0, 0)); os.Open(""); print() }`,
		"builder/rpm/rpm.go":                      `package rpm; import . "fmt"; func f() { Println() }`,
		"builder/rpm/rpmtest/build.go":            `package rpmtest; import ("fmt"; "namibuild/builder/rpm"; "namibuild/builder/source"); func f() { fmt.Print() }`,
		"builder/engine/enginetest/probe/main.go": `package main; import ("fmt"; "namibuild/builder/engine"; "namibuild/builder/rpm/rpmtest"); func main() { fmt.Print() }`,
		"builder/util/util.go":                    `package util`,
		"builder/source/xz.go":                    `package source; import _ "github.com/therootcompany/xz"`,
		"builder/source/xz_test.go":               `package source; import _ "github.com/ulikunitz/xz"`,
		"builder/rpm/rpmtest/xz.go":               `package rpmtest; import _ "github.com/ulikunitz/xz/lzma"`,
		"builder/unpack/xz.go":                    `package unpack; import _ "github.com/therootcompany/xz"`,
		"builder/artifact/main.go":                `package main`,
		"builder/oci/oci.go":                      `package oci; import "namibuild/builder/absent"`,
		"builder/rpm/testdata/broken.go":          `not Go`,
		".ci/broken.go":                           `not Go`,
	}
	tree := fstest.MapFS{}
	for name, text := range house {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	want := []string{
		"builder/artifact/main.go: is a program; programs live in cmd",
		"builder/builder.go: imports builder's own roof cmd/namibuild",
		"builder/engine/e_test.go: imports builder/engine's neighbour builder/source",
		"builder/engine/engine.go: imports builder/engine's neighbour builder/fetch",
		"builder/engine/engine.go: imports log, which is for cmd",
		"builder/fetch/fetch.go: imports builder/rpm/rpmtest, which is for tests",
		"builder/fetch/fetch.go: imports github.com/docker/docker/client, which is for builder/engine",
		"builder/oci/oci.go: imports builder/absent, which stands on no floor",
		"builder/plan/plan.go: imports builder/plan's neighbour builder/plan",
		"builder/plan/plan.go: imports github.com/sirupsen/logrus, which is for cmd",
		"builder/plan/plan.go: imports log, which is for cmd",
		"builder/plan/plan.go: imports log/slog, which is for cmd",
		"builder/recipe/recipe.go: imports builder/recipe's neighbour .",
		"builder/recipe/recipe.go: uses fmt.Println, which is for cmd",
		"builder/recipe/recipe.go: uses os.Stdout, which is for cmd",
		"builder/recipe/recipe.go: uses print, which is for cmd",
		"builder/recipe/recipe.go: uses time.Now, which is for cmd",
		"builder/rpm/rpm.go: imports fmt with a dot, which hides what it uses",
		"builder/rpm/rpmtest/build.go: imports builder/rpm's own roof builder/source",
		"builder/rpm/rpmtest/build.go: uses fmt.Print, which is for cmd",
		"builder/sign/sign.go: imports builder/sign's own roof builder",
		"builder/source/xz.go: imports github.com/therootcompany/xz, which is for builder/unpack",
		"builder/util/util.go: builder/util stands on no floor",
		"cmd/namibuild/docker.go: imports github.com/docker/docker/client, which is for builder/engine",
		"cmd/other/main.go: imports cmd/other's neighbour cmd/namibuild",
	}
	got := faults(goFiles(t, tree))
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("not found: %s", w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("no fault: %s", g)
		}
	}
}

// goFile is one Go file by its path in the module.
type goFile struct {
	path   string
	syntax *ast.File
}

func (f goFile) dir() string   { return path.Dir(f.path) }
func (f goFile) test() bool    { return strings.HasSuffix(f.path, "_test.go") }
func (f goFile) program() bool { return f.syntax.Name.Name == "main" }

// goFiles parses what the go command would look at.
func goFiles(t *testing.T, tree fs.FS) []goFile {
	t.Helper()
	var all []goFile
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch hidden := strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_"); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (hidden || base == "testdata"):
			return fs.SkipDir
		case d.IsDir() || hidden || path.Ext(base) != ".go":
			return nil
		}
		data, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, data, parser.SkipObjectResolution)
		all = append(all, goFile{name, syntax})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// faults are the sentences about what should not be, each once.
func faults(files []goFile) []string {
	var all []string
	for _, f := range files {
		if floor(f.dir()) < 0 {
			all = append(all, f.path+": "+f.dir()+" stands on no floor")
			continue
		}
		for _, what := range slices.Concat(f.wrongImports(), f.wrongNames()) {
			all = append(all, f.path+": "+what)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// floor is the number of a package's floor, the top is 0; -1: it has none. What
// tests share stands in the room it serves.
func floor(pkg string) int {
	if strings.HasPrefix(pkg, "cmd/") {
		return 0
	}
	return slices.IndexFunc(floors, func(rooms []string) bool { return slices.Contains(rooms, room(pkg)) })
}

// room is the package that a package for tests serves, or the package itself.
func room(pkg string) string {
	elements := strings.Split(pkg, "/")
	if i := slices.IndexFunc(elements, func(e string) bool { return strings.HasSuffix(e, "test") }); i > 0 {
		return path.Join(elements[:i]...)
	}
	return pkg
}

// support says that a package is there for tests: rpmtest, enginetest.
func support(pkg string) bool { return room(pkg) != pkg }

func (f goFile) wrongImports() []string {
	var all []string
	for _, spec := range f.syntax.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		if what := f.wrongImport(name); what != "" {
			all = append(all, what)
		}
		if spec.Name != nil && spec.Name.Name == "." && commandNames[name] != nil {
			all = append(all, "imports "+name+" with a dot, which hides what it uses")
		}
	}
	return all
}

// wrongImport says what is wrong with one import, or nothing.
func (f goFile) wrongImport(name string) string {
	if pkg, ours := inModule(name); ours {
		return f.wrongArrow(pkg)
	}
	foreign := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	switch {
	case slices.ContainsFunc(engineOnly, foreign) && room(f.dir()) != engineRoom && !f.test():
		return "imports " + name + ", which is for " + engineRoom
	case slices.ContainsFunc(unpackOnly, foreign) && f.dir() != unpackRoom && !f.test() && !support(f.dir()):
		return "imports " + name + ", which is for " + unpackRoom
	case slices.Contains(commandPackages, name) && f.inLibrary() && (name != logrus || f.dir() != engineRoom):
		return "imports " + name + ", which is for cmd"
	}
	return ""
}

func inModule(name string) (pkg string, ours bool) {
	if name == module {
		return ".", true
	}
	return strings.CutPrefix(name, module+"/")
}

// wrongArrow says what is wrong with importing a package of this module.
func (f goFile) wrongArrow(pkg string) string {
	from, to := floor(f.dir()), floor(pkg)
	mine := room(f.dir())
	switch tests := f.test() || support(f.dir()); {
	case to < 0:
		return "imports " + pkg + ", which stands on no floor"
	case support(pkg) && !tests:
		return "imports " + pkg + ", which is for tests"
	case support(pkg), tests && pkg == mine:
		return ""
	case to < from:
		return fmt.Sprintf("imports %s's own roof %s", mine, pkg)
	case to == from:
		return fmt.Sprintf("imports %s's neighbour %s", mine, pkg)
	}
	return ""
}

// library: neither a command nor a test nor a program that tests run.
func (f goFile) inLibrary() bool {
	return floor(f.dir()) > 0 && !f.test() && !(support(f.dir()) && f.program())
}

// wrongNames are the uses of what only cmd may use. A local name that hides one
// of these packages counts as the package.
func (f goFile) wrongNames() []string {
	if !f.inLibrary() {
		return nil
	}
	var all []string
	if f.program() {
		all = append(all, "is a program; programs live in cmd")
	}
	imported := f.imported()
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && slices.Contains(commandNames[imported[x.Name]], n.Sel.Name) {
				all = append(all, fmt.Sprintf("uses %s.%s, which is for cmd", imported[x.Name], n.Sel.Name))
			}
		case *ast.CallExpr:
			if x, ok := n.Fun.(*ast.Ident); ok && (x.Name == "print" || x.Name == "println") {
				all = append(all, "uses "+x.Name+", which is for cmd")
			}
		}
		return true
	})
	return all
}

// imported maps the names that a file has for packages to their paths.
func (f goFile) imported() map[string]string {
	all := map[string]string{}
	for _, spec := range f.syntax.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		local := path.Base(name)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		all[local] = name
	}
	return all
}
