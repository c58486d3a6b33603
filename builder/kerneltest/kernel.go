// Package kerneltest has a kernel of two files, for tests: its SRPM and its recipe, the
// definitions of its builder image, and a fake engine that builds it without rpmbuild.
//
// The recipe changes TCP_TIMEWAIT_LEN from 60 seconds to 5, and a build of a source
// without this change fails.
package kerneltest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm/rpmtest"
)

// Spec is the spec of the kernel.
const Spec = `%define distro_build 431.3.1
%define kversion 2.6.32-431.3.1.el6
Name: kernel
Version: 2.6.32
Release: %{distro_build}.el6
Source0: linux-2.6.32-431.3.1.el6.tar.bz2
`

// Tarball returns the source tree of the kernel, as a tar that is not compressed.
func Tarball() string {
	const tree = "linux-2.6.32-431.3.1.el6/"
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	addFile(w, tree+"Makefile", "EXTRAVERSION =\n")
	addFile(w, tree+"include/net/tcp.h", "#define TCP_TIMEWAIT_LEN (60*HZ)\n")
	w.Close()
	return b.String()
}

// addFile adds a file to a tar in memory, where no write can fail.
func addFile(w *tar.Writer, name, content string) {
	w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))})
	w.Write([]byte(content))
}

// SRPM returns the SRPM of the kernel.
func SRPM() []byte { return rpmtest.Build(SRPMPackage()) }

// SRPMPackage returns what rpmtest.Build makes the SRPM from, for tests that change it.
func SRPMPackage() rpmtest.Package {
	return rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "x86_64", Source: true, BuildTime: 1389000000,
		Files: []rpmtest.File{
			{Path: "kernel.spec", Content: Spec, Mode: 0o100644, Flags: 1 << 5}, // RPMFILE_SPECFILE
			{Path: "linux-2.6.32-431.3.1.el6.tar.bz2", Content: Tarball(), Mode: 0o100644},
		}}
}

// Recipe returns the recipe of the kernel. It writes the SRPM into dir.
func Recipe(t testing.TB, dir string) recipe.Recipe {
	t.Helper()
	file := filepath.Join(dir, "kernel.src.rpm")
	if err := os.WriteFile(file, SRPM(), 0o666); err != nil {
		t.Fatal(err)
	}
	return RecipeFor(file)
}

// RecipeFor returns the recipe of the kernel, for an SRPM that is in a file.
func RecipeFor(file string) recipe.Recipe {
	return recipe.Recipe{
		Name: "timewait", Image: "centos6", Tag: "namibuild", Objects: 9,
		Source:   recipe.Source{File: file, SHA256: fmt.Sprintf("%x", sha256.Sum256(SRPM()))},
		Edits:    []recipe.Edit{{File: "include/net/tcp.h", Find: "(60*HZ)", Replace: "(5*HZ)", Times: 1}},
		Packages: []string{"kernel"},
	}
}

// Page is a valid page of Recipe, but for the digest of its source.
const Page = "name: timewait\nimage: centos6\ntag: namibuild\nsource: {file: kernel.src.rpm, signed-by: C1DAC52D1664E8A4386DBA430946FCA2C105B9DE}\n" +
	"edits:\n  - {file: include/net/tcp.h, find: (60*HZ), replace: (5*HZ)}\npackages: [kernel]\n"

// Images are image definitions: that of the recipe, and a second one.
var Images = fstest.MapFS{
	"Dockerfile.centos6":         {Data: []byte("FROM scratch\n")},
	"images/common/rpmbuild.sh":  {Data: []byte("#!/bin/sh\n")},
	"images/common/step.sh":      {Data: []byte("#!/bin/sh\n")},
	"images/common/mtimes.sh":    {Data: []byte("#!/bin/sh\n")},
	"images/common/pins/clock.c": {Data: []byte("/* clock */\n")},
	"images/common/pins/stat.c":  {Data: []byte("/* stat */\n")},
	"images/common/pins/order.c": {Data: []byte("/* order */\n")},
	"images/vary/preload.sh":     {Data: []byte("#!/bin/sh\n")},
	"images/centos6/yum.conf":    {Data: []byte("[main]\n")},
	"images/debian12/Dockerfile": {Data: []byte("FROM scratch\n")},
}
