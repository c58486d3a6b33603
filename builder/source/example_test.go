package source_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/source"
)

// exampleSRPM returns the SRPM of a kernel with two files.
func exampleSRPM() source.Files {
	const spec = `%define distro_build 431
%define kversion 2.6.32-431.el6
Name: kernel
Version: 2.6.32
Release: %{distro_build}.el6
Source0: linux-%{kversion}.tar
`
	var tarball bytes.Buffer
	w := tar.NewWriter(&tarball)
	for _, f := range [][2]string{{"Makefile", "EXTRAVERSION =\n"}, {"tcp.h", "#define TCP_TIMEWAIT_LEN (60*HZ)\n"}} {
		head := tar.Header{Name: "linux-2.6.32-431.el6/" + f[0], Mode: 0o644, Size: int64(len(f[1]))}
		if err := w.WriteHeader(&head); err != nil {
			log.Fatal(err)
		}
		if _, err := io.WriteString(w, f[1]); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	data := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.el6", Arch: "x86_64", Source: true, Files: []rpmtest.File{
		{Path: "kernel.spec", Content: spec, Flags: rpm.FlagSpecfile},
		{Path: "linux-2.6.32-431.el6.tar", Content: tarball.String()},
	}})
	return source.Files{Name: "kernel.src.rpm", SRPM: bytes.NewReader(data)}
}

// timeWait is a recipe that changes the SRPM of the examples.
var timeWait = recipe.Recipe{
	Tag:   "local",
	Edits: []recipe.Edit{{File: "tcp.h", Find: "(60*HZ)", Replace: "(5*HZ)", Times: 1}},
}

// Inspect finds out what a recipe does to an SRPM, without writing anything.
func ExampleInspect() {
	srpm := exampleSRPM()
	preview, err := source.Inspect(context.Background(), srpm, timeWait, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range preview.Renames {
		fmt.Printf("%s: %q becomes %q\n", r.What, r.From, r.To)
	}
	for _, c := range preview.Changes {
		fmt.Println("changed:", c.Path)
	}
	// Output:
	// distro_build: "431" becomes "431.local"
	// kversion: "2.6.32-431.el6" becomes "2.6.32-431.local.el6"
	// tarball: "linux-2.6.32-431.el6.tar" becomes "linux-2.6.32-431.local.el6.tar"
	// directory: "linux-2.6.32-431.el6" becomes "linux-2.6.32-431.local.el6"
	// EXTRAVERSION: "" becomes "-431.local.el6"
	// changed: kernel.spec
	// changed: linux-2.6.32-431.local.el6/Makefile
	// changed: linux-2.6.32-431.local.el6/tcp.h
}

// The error of a recipe that does not fit has all faults.
func ExampleMismatchError() {
	srpm := exampleSRPM()
	r := recipe.Recipe{Edits: []recipe.Edit{
		{File: "tcp.h", Find: "(120*HZ)", Replace: "(5*HZ)", Times: 1},
		{File: "udp.h", Find: "a", Replace: "b", Times: 1},
	}}
	_, err := source.Inspect(context.Background(), srpm, r, nil)
	var mismatch *source.MismatchError
	if errors.As(err, &mismatch) {
		for _, f := range mismatch.Faults {
			fmt.Println(f)
		}
	}
	// Output:
	// tcp.h: edit 1 of the recipe: want `(120*HZ)` once, found it 0 times; the most similar is line 1: `#define TCP_TIMEWAIT_LEN (60*HZ)`
	// udp.h: edit 2 of the recipe: want this file in linux-2.6.32-431.el6.tar, found no such file
}

// Prepare writes the topdir of the build as a tar.
func ExamplePrepare() {
	srpm := exampleSRPM()
	topdir, err := os.CreateTemp("", "topdir-*.tar")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(topdir.Name())
	defer topdir.Close()
	if _, err := source.Prepare(context.Background(), srpm, timeWait, topdir, nil); err != nil {
		log.Fatal(err)
	}
	if _, err := topdir.Seek(0, io.SeekStart); err != nil {
		log.Fatal(err)
	}
	for r := tar.NewReader(topdir); ; {
		entry, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(entry.Name)
	}
	// Output:
	// BUILD/
	// BUILDROOT/
	// RPMS/
	// SOURCES/
	// SPECS/
	// SRPMS/
	// SPECS/kernel.spec
	// SOURCES/linux-2.6.32-431.local.el6.tar
}

// Describe lists the files of an SRPM.
func ExampleDescribe() {
	srpm := exampleSRPM()
	contents, err := source.Describe(srpm, recipe.Tarball{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(contents.Package)
	for _, f := range contents.Files {
		fmt.Printf("%s, %d bytes, %s\n", f.File, f.Size, f.Algorithm)
	}
	// Output:
	// kernel-2.6.32-431.el6.src
	// kernel.spec, 146 bytes, sha256
	// linux-2.6.32-431.el6.tar, 3072 bytes, sha256
}
