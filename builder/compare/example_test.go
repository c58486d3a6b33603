package compare_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"namibuild/builder/compare"
	"namibuild/builder/rpm/rpmtest"
)

// build writes a folder with one package, built at a time in seconds since 1970,
// with a file of this content.
func build(dir string, time int64, content string) string {
	p := rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "1.el6", Arch: "x86_64", BuildTime: time, Payload: "none",
		Files: []rpmtest.File{{Path: "/boot/config", Content: content, Mtime: 1389000000}}}
	err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(filepath.Join(dir, "kernel-2.6.32-1.el6.x86_64.rpm"), rpmtest.Build(p), 0o666))
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

// Two builds of the same source, one of them an hour later.
func ExamplePaths() {
	dir, err := os.MkdirTemp("", "compare-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	a := build(filepath.Join(dir, "a"), 1389000000, "CONFIG_SMP=y\n")
	b := build(filepath.Join(dir, "b"), 1389003600, "CONFIG_SMP=y\n")

	report, err := compare.Paths(a, b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Verdict)
	for _, pair := range report.Pairs {
		fmt.Printf("%s: %s\n", pair.Name, pair.Verdict)
		for _, f := range pair.Findings {
			if f.Kind == compare.HasCause {
				fmt.Printf("  %s: %s\n  to prevent it: %s\n", f.What, f.Cause.Why, f.Cause.Pin)
			}
		}
	}
	// Output:
	// explained
	// kernel-2.6.32-1.el6.x86_64.rpm: explained
	//   header tag BUILDTIME: the builds ran at different times
	//   to prevent it: clock (every program's time of day), rpm (BUILDTIME), kbuild (KBUILD_BUILD_TIMESTAMP)
}

// A difference without a known cause, with what follows from it.
func ExampleFiles() {
	dir, err := os.MkdirTemp("", "compare-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	const name = "kernel-2.6.32-1.el6.x86_64.rpm"
	a := filepath.Join(build(filepath.Join(dir, "a"), 1389000000, "CONFIG_SMP=y\n"), name)
	b := filepath.Join(build(filepath.Join(dir, "b"), 1389000000, "CONFIG_SMP=n\n"), name)

	pair, err := compare.Files(a, b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pair.Verdict)
	for _, f := range pair.Findings {
		switch f.Kind {
		case compare.NoReason:
			at := f.At[0]
			fmt.Printf("%s: %s | %s\n", at.Place, at.A, at.B)
		case compare.Follows:
			fmt.Printf("%s follows from %s\n", f.What, f.From)
		}
	}
	// Output:
	// unexplained
	// /boot/config: offset 0xb: "y\n" (of 13 bytes) | "n\n" (of 13 bytes)
	// header tag FILEDIGESTS follows from the content of the file
	// header tag PAYLOADDIGEST follows from the payload
	// header tag PAYLOADDIGESTALT follows from the payload
	// signature header tag SHA1 follows from header and payload
	// signature header tag SHA256 follows from header and payload
	// signature header tag MD5 follows from header and payload
}
