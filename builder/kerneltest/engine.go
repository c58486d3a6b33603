package kerneltest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing/fstest"

	"namibuild/builder/buildroot"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/rpm/rpmtest"
)

// RootList is the list of packages in the builder image.
const RootList = "buildroot 1\tcentos\t6.5\n" +
	"rpm\tgcc\t4.4.7-4.el6\tx86_64\tgcc-4.4.7-4.el6.src.rpm\t-\t-\tGPLv3+ and GPLv3+ with exceptions and GPLv2+ with exceptions\n"

// Fake returns an engine whose containers run Rpmbuild.
func Fake() *enginetest.Fake {
	return &enginetest.Fake{Program: Rpmbuild, Root: map[string][]byte{buildroot.Path: []byte(RootList)}, Entropy: engine.Entropy{Source: engine.Urandom, Reason: "not granted"}}
}

// Rpmbuild is a container's program that replaces rpmbuild. It makes a kernel package
// with the release of the uploaded spec, or fails if the uploaded source does not have
// the recipe's change.
func Rpmbuild(_ context.Context, p *enginetest.Process) engine.Exit { return rpmbuild(p, false) }

// LegacyRpmbuild is Rpmbuild with the package format of EL6's rpm.
func LegacyRpmbuild(_ context.Context, p *enginetest.Process) engine.Exit { return rpmbuild(p, true) }

func rpmbuild(p *enginetest.Process, legacy bool) engine.Exit {
	spec := string(p.Topdir["SPECS/kernel.spec"].Data)
	_, rest, _ := strings.Cut(spec, "%define distro_build ")
	release, _, _ := strings.Cut(rest, "\n")
	fmt.Fprintf(p.Log, "Executing(%%prep): /bin/sh\n@namibuild objects 3\nExecuting(%%build): /bin/sh\n@namibuild objects 7\n@namibuild objects 0\n")
	if !bytes.Contains(p.Topdir["SOURCES/linux-2.6.32-"+release+".el6.tar.bz2"].Data, []byte("(5*HZ)")) {
		fmt.Fprintf(p.Log, "net/tcp.c:4: error: TIME_WAIT is not 5 s\n")
		return engine.Exit{Code: 1}
	}
	made := Package(release)
	made.Legacy = legacy
	p.Topdir["RPMS/x86_64/kernel-2.6.32-"+release+".el6.x86_64.rpm"] = &fstest.MapFile{Data: rpmtest.Build(made), Mode: 0o644}
	return engine.Exit{}
}

// Package returns the package that Rpmbuild makes from a spec with the given
// distro_build, for tests that change it.
func Package(release string) rpmtest.Package {
	return rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: release + ".el6", Arch: "x86_64",
		Files: []rpmtest.File{{Path: "/boot/vmlinuz", Content: "x", Mode: 0o100644}}}
}
