package recipe_test

import (
	"errors"
	"fmt"
	"log"
	"testing/fstest"

	"namibuild/builder/recipe"
)

const page = `name: my-kernel
image: centos6
source:
  url: http://vault.example.org/kernel-2.6.32-431.3.1.el6.src.rpm
  signed-by: C1DAC52D1664E8A4386DBA430946FCA2C105B9DE
tag: namibuild
edits:
  - {file: include/net/tcp.h, find: "(60*HZ)", replace: "(5*HZ)"}
packages: [kernel, kernel-devel]
`

func ExampleParse() {
	r, err := recipe.Parse("my-kernel.yaml", []byte(page))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Name, "is built in", r.Image)
	for _, e := range r.Edits {
		fmt.Printf("%s: %s becomes %s\n", e.File, e.Find, e.Replace)
	}
	// Output:
	// my-kernel is built in centos6
	// include/net/tcp.h: (60*HZ) becomes (5*HZ)
}

// The error of a wrong page has all its faults.
func ExampleParse_faults() {
	_, err := recipe.Parse("bad.yaml", []byte(`name: My kernel
image: centos5
source: {file: kernel.src.rpm}
packages: kernel
`))
	var faults recipe.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			fmt.Println(f)
		}
	}
	// Output:
	// bad.yaml:1:7: name "My kernel": must be at most 64 lower-case letters, digits, dots and dashes, with a letter or digit first and last
	// bad.yaml:2:8: image "centos5": must be one of centos6, centos7, debian12, rocky8, rocky9; did you mean centos6?
	// bad.yaml:3:9: source must have sha256 or signed-by
	// bad.yaml:4:11: packages is text: must be a list
}

// A recipe that comes with a program is found by its name. Load also reads the files
// that its page names.
func ExampleLoad() {
	embedded := fstest.MapFS{
		"recipes/my-kernel.yaml": {Data: []byte(page + "patches: [{file: fix.patch}]\n")},
		"recipes/fix.patch":      {Data: []byte("--- a/Makefile\n+++ b/Makefile\n")},
	}
	r, err := recipe.Load("my-kernel", embedded)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, %d bytes\n", r.Patches[0].File, len(r.Patches[0].Content))
	// Output: fix.patch, 30 bytes
}

// AsStock returns the recipe of the kernel without the changes, to compare with it.
func ExampleRecipe_AsStock() {
	r, err := recipe.Parse("my-kernel.yaml", []byte(page))
	if err != nil {
		log.Fatal(err)
	}
	stock := r.AsStock()
	fmt.Printf("tag %q, %d edits; stock: tag %q, %d edits\n", r.Tag, len(r.Edits), stock.Tag, len(stock.Edits))
	// Output: tag "namibuild", 1 edits; stock: tag "", 0 edits
}
