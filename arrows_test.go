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

// floors are the packages of this module, layer by layer, the top first. A package
// imports only packages of lower layers, and none of its own layer.
var floors = [][]string{
	{"cmd"}, // and all below it
	{"builder", "builder/release", "builder/repository", "builder/prove"},
	{"builder/sign", "builder/repodata", "builder/sbom", "builder/provenance", "builder/oci", "builder/boot"},
	{"builder/set", "builder/image", "builder/trust", "builder/topdir", "builder/vary"},
	{"builder/fetch", "builder/source", "builder/engine", "builder/artifact", "builder/compare", "builder/graft", "builder/leak", "builder/buildroot", "builder/modkey", "builder/buildlog"},
	{"builder/plan"},
	{"builder/recipe", "builder/rpm", "builder/event", "builder/durable", "."},
	{"builder/pgp", "builder/unpack"},
}

// enginePackage is the only package that imports the modules of Docker and BuildKit,
// engineOnly.
const enginePackage = "builder/engine"

var engineOnly = []string{"github.com/docker/", "github.com/moby/", "github.com/containerd/", "github.com/tonistiigi/"}

// unpackRoom is the only package that imports the libraries that decompress,
// unpackOnly. gzip and zstd are missing, because packages that only compress import
// the same ones.
const unpackRoom = "builder/unpack"

var unpackOnly = []string{"compress/bzip2", "github.com/cosnicolaou/pbzip2", "github.com/pierrec/lz4", "github.com/therootcompany/xz", "github.com/ulikunitz/xz"}

// logrus is what BuildKit logs with. The engine imports it to keep BuildKit quiet.
const logrus = "github.com/sirupsen/logrus"

// A library does not log, print, exit or look at the clock. Only cmd uses these
// packages, and these names of other packages.
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
			t.Errorf("no Go file of %s was checked", dir)
		}
	}
	for _, fault := range faults(files) {
		t.Error(fault)
	}
}

// TestWrongArrowsAreFound checks that every kind of fault is found in a small module,
// and nothing that is allowed and looks like a fault.
func TestWrongArrowsAreFound(t *testing.T) {
	module := map[string]string{
		"embed.go":                                `package namibuild; import _ "embed"`,
		"cmd/namibuild/main.go":                   `package main; import ("os"; "time"; "namibuild"; "namibuild/builder/rpm"; _ "github.com/sirupsen/logrus"); func main() { time.Now(); os.Exit(1) }`,
		"cmd/other/main.go":                       `package main; import _ "namibuild/cmd/namibuild"`,
		"cmd/namibuild/docker.go":                 `package main; import _ "github.com/docker/docker/client"`,
		"cmd/namibuild/e2e_test.go":               `package main; import _ "github.com/docker/docker/client"`,
		"builder/builder.go":                      `package builder; import ("namibuild/builder/engine"; "namibuild/builder/sign"; "namibuild/builder/topdir"; "namibuild/builder/prove"; "namibuild/cmd/namibuild")`,
		"builder/builder_test.go":                 `package builder; import ("namibuild/builder/kerneltest"; "namibuild/builder/release")`,
		"builder/buildertest/sets.go":             `package buildertest; import ("namibuild/builder"; "namibuild/builder/kerneltest")`,
		"builder/kerneltest/kernel.go":            `package kerneltest; import ("namibuild/builder/rpm/rpmtest"; "namibuild/builder/engine")`,
		"builder/release/release.go":              `package release; import ("namibuild/builder/set"; "namibuild/builder/sign"; "namibuild/builder")`,
		"builder/prove/boot.go":                   `package prove; import ("namibuild/builder/boot"; "namibuild/builder/image"; "namibuild/builder/buildertest")`,
		"builder/boot/boot.go":                    `package boot; import ("namibuild/builder/set"; "namibuild/builder/prove")`,
		"builder/set/set.go":                      `package set; import ("namibuild/builder/artifact"; "namibuild/builder/image"; "namibuild/builder/release")`,
		"builder/image/image.go":                  `package image; import ("namibuild/builder/engine"; "namibuild/builder/plan")`,
		"builder/trust/trust.go":                  `package trust; import ("namibuild/builder/fetch"; "namibuild/builder/pgp"; "namibuild/builder/topdir")`,
		"builder/topdir/topdir.go":                `package topdir; import ("namibuild/builder/source"; "namibuild/builder/event"; "namibuild/builder")`,
		"builder/vary/vary.go":                    `package vary; import ("namibuild/builder/engine"; "namibuild/builder/plan"; "namibuild/builder/set")`,
		"builder/graft/graft.go":                  `package graft; import ("namibuild/builder/rpm"; "namibuild/builder/compare")`,
		"builder/compare/compare.go":              `package compare; import "namibuild/builder/rpm"`,
		"builder/modkey/file.go":                  `package modkey; import ("namibuild/builder/rpm"; "namibuild/builder/unpack"; "namibuild/builder/recipe")`,
		"builder/event/event.go":                  `package event; import "namibuild/builder/durable"`,
		"builder/durable/folder.go":               `package durable; import "namibuild/builder/plan"`,
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
	for name, text := range module {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	want := []string{
		"builder/artifact/main.go: is a program; programs live in cmd",
		"builder/boot/boot.go: imports builder/boot's own roof builder/prove",
		"builder/builder.go: imports builder's neighbour builder/prove",
		"builder/builder.go: imports builder's own roof cmd/namibuild",
		"builder/builder_test.go: imports builder's neighbour builder/release",
		"builder/durable/folder.go: imports builder/durable's own roof builder/plan",
		"builder/engine/e_test.go: imports builder/engine's neighbour builder/source",
		"builder/engine/engine.go: imports builder/engine's neighbour builder/fetch",
		"builder/engine/engine.go: imports log, which is for cmd",
		"builder/event/event.go: imports builder/event's neighbour builder/durable",
		"builder/fetch/fetch.go: imports builder/rpm/rpmtest, which is for tests",
		"builder/fetch/fetch.go: imports github.com/docker/docker/client, which is for builder/engine",
		"builder/graft/graft.go: imports builder/graft's neighbour builder/compare",
		"builder/oci/oci.go: imports builder/absent, which is in no layer",
		"builder/plan/plan.go: imports builder/plan's neighbour builder/plan",
		"builder/plan/plan.go: imports github.com/sirupsen/logrus, which is for cmd",
		"builder/plan/plan.go: imports log, which is for cmd",
		"builder/plan/plan.go: imports log/slog, which is for cmd",
		"builder/prove/boot.go: imports builder/buildertest, which is for tests",
		"builder/recipe/recipe.go: imports builder/recipe's neighbour .",
		"builder/recipe/recipe.go: uses fmt.Println, which is for cmd",
		"builder/recipe/recipe.go: uses os.Stdout, which is for cmd",
		"builder/recipe/recipe.go: uses print, which is for cmd",
		"builder/recipe/recipe.go: uses time.Now, which is for cmd",
		"builder/release/release.go: imports builder/release's neighbour builder",
		"builder/rpm/rpm.go: imports fmt with a dot, which hides what it uses",
		"builder/rpm/rpmtest/build.go: imports builder/rpm's own roof builder/source",
		"builder/rpm/rpmtest/build.go: uses fmt.Print, which is for cmd",
		"builder/set/set.go: imports builder/set's neighbour builder/image",
		"builder/set/set.go: imports builder/set's own roof builder/release",
		"builder/sign/sign.go: imports builder/sign's own roof builder",
		"builder/source/xz.go: imports github.com/therootcompany/xz, which is for builder/unpack",
		"builder/topdir/topdir.go: imports builder/topdir's own roof builder",
		"builder/trust/trust.go: imports builder/trust's neighbour builder/topdir",
		"builder/util/util.go: builder/util is in no layer",
		"builder/vary/vary.go: imports builder/vary's neighbour builder/set",
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
			t.Errorf("found, and is no fault: %s", g)
		}
	}
}

// goFile is one Go file of the module.
type goFile struct {
	path   string // in the module
	syntax *ast.File
}

func (f goFile) dir() string   { return path.Dir(f.path) }
func (f goFile) test() bool    { return strings.HasSuffix(f.path, "_test.go") }
func (f goFile) program() bool { return f.syntax.Name.Name == "main" }

// goFiles parses the Go files that the go command does not ignore.
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

// faults returns a sentence for each thing that is wrong, sorted.
func faults(files []goFile) []string {
	var all []string
	for _, f := range files {
		if floor(f.dir()) < 0 {
			all = append(all, f.path+": "+f.dir()+" is in no layer")
			continue
		}
		for _, what := range slices.Concat(f.wrongImports(), f.wrongNames()) {
			all = append(all, f.path+": "+what)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// floor returns the number of a package's layer, counted from 0 at the top, or -1 if it
// has none. A package for tests is in the layer of the package that it serves.
func floor(pkg string) int {
	if strings.HasPrefix(pkg, "cmd/") {
		return 0
	}
	return slices.IndexFunc(floors, func(layer []string) bool { return slices.Contains(layer, served(pkg)) })
}

// served returns the package that a package for tests serves, or the package itself.
func served(pkg string) string {
	elements := strings.Split(pkg, "/")
	if i := slices.IndexFunc(elements, func(e string) bool { return strings.HasSuffix(e, "test") }); i > 0 {
		return path.Join(elements[:i]...)
	}
	return pkg
}

// support reports whether a package is for tests, as rpmtest and enginetest are.
func support(pkg string) bool { return served(pkg) != pkg }

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

// wrongImport returns what is wrong with an import, or "".
func (f goFile) wrongImport(name string) string {
	if pkg, ours := inModule(name); ours {
		return f.wrongArrow(pkg)
	}
	foreign := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	switch {
	case slices.ContainsFunc(engineOnly, foreign) && served(f.dir()) != enginePackage && !f.test():
		return "imports " + name + ", which is for " + enginePackage
	case slices.ContainsFunc(unpackOnly, foreign) && f.dir() != unpackRoom && !f.test() && !support(f.dir()):
		return "imports " + name + ", which is for " + unpackRoom
	case slices.Contains(commandPackages, name) && f.inLibrary() && (name != logrus || f.dir() != enginePackage):
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

// wrongArrow returns what is wrong with importing a package of this module, or "".
func (f goFile) wrongArrow(pkg string) string {
	from, to := floor(f.dir()), floor(pkg)
	mine := served(f.dir())
	switch tests := f.test() || support(f.dir()); {
	case to < 0:
		return "imports " + pkg + ", which is in no layer"
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

// inLibrary reports whether a file belongs to neither a command nor a test nor a
// program that tests run.
func (f goFile) inLibrary() bool {
	return floor(f.dir()) > 0 && !f.test() && !(support(f.dir()) && f.program())
}

// wrongNames returns the uses of names that are only for cmd. A local variable with the
// name of such a package counts as the package.
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

// imported returns the paths of the packages that a file imports, by their names in it.
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
