package builder_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"namibuild/builder"
	"namibuild/builder/buildertest"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/kerneltest"
)

// A plan needs a recipe, the image definitions and a store, and no engine. The kernel
// of this example is a small one, for tests. A shipped recipe comes from recipe.Load,
// and namibuild.Files has the image definitions.
func ExamplePlan() {
	dir := exampleDir()
	defer os.RemoveAll(dir)
	store, err := fetch.Open(filepath.Join(dir, "store"))
	if err != nil {
		log.Fatal(err)
	}
	o := builder.PlanOptions{
		SourceOptions: builder.SourceOptions{
			Recipe: kerneltest.RecipeFor(filepath.Join(dir, "kernel.src.rpm")),
			Images: kerneltest.Images,
			Store:  store,
		},
		Jobs: 4,
	}
	p, preview, err := builder.Plan(context.Background(), o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Name, "of", p.SRPM.File)
	fmt.Println(len(preview.Renames), "names get the tag")
	for line := range strings.Lines(preview.Diff()) {
		if strings.Contains(line, "TIMEWAIT") {
			fmt.Print(line)
		}
	}
	// Output:
	// timewait of kernel-2.6.32-431.3.1.el6.src.rpm
	// 6 names get the tag
	// -#define TCP_TIMEWAIT_LEN (60*HZ)
	// +#define TCP_TIMEWAIT_LEN (5*HZ)
}

// A build also needs an engine, which is a fake one here. builder.Over makes an Engine of
// a real one, which engine.Connect opens.
func ExampleBuild() {
	dir := exampleDir()
	defer os.RemoveAll(dir)
	store, err := fetch.Open(filepath.Join(dir, "store"))
	if err != nil {
		log.Fatal(err)
	}
	o := builder.Options{Output: filepath.Join(dir, "out")}
	o.Recipe = kerneltest.RecipeFor(filepath.Join(dir, "kernel.src.rpm"))
	o.Images, o.Store, o.Engine = kerneltest.Images, store, buildertest.Over(kerneltest.Fake())
	o.Jobs = 4
	o.Tell = func(e event.Event) {
		if e.Kind == event.End {
			fmt.Println("done:", e.Step)
		}
	}
	made, err := builder.Build(context.Background(), o)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range made.RPMs {
		fmt.Println(p.File)
	}
	// Output:
	// done: source
	// done: prepare
	// done: image
	// done: container
	// done: upload
	// done: rpmbuild
	// done: collect
	// kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm
}

// exampleDir makes a temporary folder with the SRPM of the examples.
func exampleDir() string {
	dir, err := os.MkdirTemp("", "")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "kernel.src.rpm"), kerneltest.SRPM(), 0o666)
	}
	if err != nil {
		log.Fatal(err)
	}
	return dir
}
