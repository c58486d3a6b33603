// Package kerneltest is a kernel of two files, for tests: its source package, image
// definitions, and what a fake engine does in the place of rpmbuild.
package kerneltest

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"namibuild/builder/buildroot"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
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

// Tarball is the source of the kernel.
func Tarball(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range [][2]string{{"Makefile", "EXTRAVERSION =\n"}, {"include/net/tcp.h", "#define TCP_TIMEWAIT_LEN (60*HZ)\n"}} {
		if err := w.WriteHeader(&tar.Header{Name: "linux-2.6.32-431.3.1.el6/" + f[0], Mode: 0o644, Size: int64(len(f[1]))}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, f[1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// SRPM is the source package of the kernel.
func SRPM(t testing.TB) []byte { return rpmtest.Build(SRPMPackage(t)) }

// SRPMPackage is what SRPM makes the source package of.
func SRPMPackage(t testing.TB) rpmtest.Package {
	return rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "x86_64", Source: true, BuildTime: 1389000000,
		Files: []rpmtest.File{
			{Path: "kernel.spec", Content: Spec, Mode: 0o100644, Flags: 1 << 5},
			{Path: "linux-2.6.32-431.3.1.el6.tar.bz2", Content: Tarball(t), Mode: 0o100644},
		}}
}

// Rpmbuild is a container's program that does what it was sent: it makes a
// kernel package that has the release of the uploaded spec.
func Rpmbuild(_ context.Context, p *enginetest.Process) engine.Exit { return rpmbuild(p, false) }

// LegacyRpmbuild is Rpmbuild as rpm of EL6 does it.
func LegacyRpmbuild(_ context.Context, p *enginetest.Process) engine.Exit { return rpmbuild(p, true) }

func rpmbuild(p *enginetest.Process, legacy bool) engine.Exit {
	page := string(p.Topdir["SPECS/kernel.spec"].Data)
	_, rest, _ := strings.Cut(page, "%define distro_build ")
	build, _, _ := strings.Cut(rest, "\n")
	fmt.Fprintf(p.Log, "Executing(%%prep): /bin/sh\n@namibuild objects 3\nExecuting(%%build): /bin/sh\n@namibuild objects 7\n@namibuild objects 0\n")
	if !bytes.Contains(p.Topdir["SOURCES/linux-2.6.32-"+build+".el6.tar.bz2"].Data, []byte("(5*HZ)")) {
		fmt.Fprintf(p.Log, "net/tcp.c:4: error: TIME_WAIT is not 5 s\n")
		return engine.Exit{Code: 1}
	}
	made := Package(build)
	made.Legacy = legacy
	pkg := rpmtest.Build(made)
	p.Topdir["RPMS/x86_64/kernel-2.6.32-"+build+".el6.x86_64.rpm"] = &fstest.MapFile{Data: pkg, Mode: 0o644}
	return engine.Exit{}
}

// Package is what Rpmbuild makes of a spec whose release is build.
func Package(build string) rpmtest.Package {
	return rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: build + ".el6", Arch: "x86_64",
		Files: []rpmtest.File{{Path: "/boot/vmlinuz", Content: "x", Mode: 0o100644}}}
}

// Images are image definitions.
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

// RootList is what the image says of its packages.
const RootList = "buildroot 1\tcentos\t6.5\n" +
	"rpm\tgcc\t4.4.7-4.el6\tx86_64\tgcc-4.4.7-4.el6.src.rpm\t-\t-\tGPLv3+ and GPLv3+ with exceptions and GPLv2+ with exceptions\n"

// Fake is an engine whose containers build the kernel.
func Fake() *enginetest.Fake {
	return &enginetest.Fake{Program: Rpmbuild, Root: map[string][]byte{buildroot.Path: []byte(RootList)}, Entropy: engine.Entropy{Source: engine.Urandom, Reason: "not granted"}}
}

// Recipe is the recipe of the kernel, whose source package it writes into a folder.
func Recipe(t testing.TB, dir string) recipe.Recipe {
	file := filepath.Join(dir, "kernel.src.rpm")
	data := SRPM(t)
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return recipe.Recipe{
		Name: "timewait", Image: "centos6", Tag: "namibuild", Objects: 9,
		Source:   recipe.Source{File: file, SHA256: fmt.Sprintf("%x", sha256.Sum256(data))},
		Edits:    []recipe.Edit{{File: "include/net/tcp.h", Find: "(60*HZ)", Replace: "(5*HZ)", Times: 1}},
		Packages: []string{"kernel"},
	}
}

// Page is a page that gives Recipe, but for the paths and digests of one machine.
const Page = "name: timewait\nimage: centos6\nsource: {file: kernel.src.rpm, signed-by: C1DAC52D1664E8A4386DBA430946FCA2C105B9DE}\npackages: [kernel]\n"
