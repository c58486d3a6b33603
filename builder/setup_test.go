package builder

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
	"time"

	"namibuild/builder/buildroot"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/fetch"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm/rpmtest"
)

// fake makes an Engine of enginetest's, as Over does of the real one.
type fake struct{ *enginetest.Fake }

func (f fake) Create(ctx context.Context, s engine.ContainerSpec) (Container, error) {
	c, err := f.Fake.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

const spec = `%define distro_build 431.3.1
%define kversion 2.6.32-431.3.1.el6
Name: kernel
Version: 2.6.32
Release: %{distro_build}.el6
Source0: linux-2.6.32-431.3.1.el6.tar.bz2
`

func tarball(t *testing.T) string {
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

func srpm(t *testing.T) []byte { return rpmtest.Build(srpmPackage(t)) }

func srpmPackage(t *testing.T) rpmtest.Package {
	return rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "x86_64", Source: true, BuildTime: 1389000000,
		Files: []rpmtest.File{
			{Path: "kernel.spec", Content: spec, Mode: 0o100644, Flags: 1 << 5},
			{Path: "linux-2.6.32-431.3.1.el6.tar.bz2", Content: tarball(t), Mode: 0o100644},
		}}
}

// rpmbuild is a container's program that does what it was sent: it makes a
// kernel package that has the release of the uploaded spec.
func rpmbuild(_ context.Context, p *enginetest.Process) engine.Exit {
	page := string(p.Topdir["SPECS/kernel.spec"].Data)
	_, rest, _ := strings.Cut(page, "%define distro_build ")
	build, _, _ := strings.Cut(rest, "\n")
	fmt.Fprintf(p.Log, "Executing(%%prep): /bin/sh\n@namibuild objects 3\nExecuting(%%build): /bin/sh\n@namibuild objects 7\n@namibuild objects 0\n")
	if !bytes.Contains(p.Topdir["SOURCES/linux-2.6.32-"+build+".el6.tar.bz2"].Data, []byte("(5*HZ)")) {
		fmt.Fprintf(p.Log, "net/tcp.c:4: error: TIME_WAIT is not 5 s\n")
		return engine.Exit{Code: 1}
	}
	pkg := rpmtest.Build(kernelPackage(build))
	p.Topdir["RPMS/x86_64/kernel-2.6.32-"+build+".el6.x86_64.rpm"] = &fstest.MapFile{Data: pkg, Mode: 0o644}
	return engine.Exit{}
}

// rpmtestLegacy makes the packages as EL6's rpm does.
var rpmtestLegacy bool

func kernelPackage(build string) rpmtest.Package {
	return rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: build + ".el6", Arch: "x86_64", Legacy: rpmtestLegacy,
		Files: []rpmtest.File{{Path: "/boot/vmlinuz", Content: "x", Mode: 0o100644}}}
}

var images = fstest.MapFS{
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

// rootList is what the fake image says of itself.
const rootList = "buildroot 1\tcentos\t6.5\n" +
	"rpm\tgcc\t4.4.7-4.el6\tx86_64\tgcc-4.4.7-4.el6.src.rpm\t-\t-\tGPLv3+ and GPLv3+ with exceptions and GPLv2+ with exceptions\n"

// setup is a build over the fake engine; its events go to the list.
func setup(t *testing.T) (Options, *enginetest.Fake, *[]Event) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "kernel.src.rpm")
	data := srpm(t)
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	store, err := fetch.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	f := &enginetest.Fake{Program: rpmbuild, Root: map[string][]byte{buildroot.Path: []byte(rootList)}, Entropy: engine.Entropy{Source: engine.Urandom, Reason: "not granted"}}
	events := &[]Event{}
	return Options{
		Recipe: recipe.Recipe{
			Name: "timewait", Image: "centos6", Tag: "namibuild", Objects: 9,
			Source:   recipe.Source{File: file, SHA256: fmt.Sprintf("%x", sha256.Sum256(data))},
			Edits:    []recipe.Edit{{File: "include/net/tcp.h", Find: "(60*HZ)", Replace: "(5*HZ)", Times: 1}},
			Packages: []string{"kernel"},
		},
		Images: images, Store: store, Engine: fake{f}, Output: filepath.Join(dir, "out"), Jobs: 2, Memory: 1 << 30,
		Version: "v1.2.3", Program: "0123abcd", Now: func() time.Time { return time.Unix(1800000000, 5) },
		Tell: func(e Event) { *events = append(*events, e) },
	}, f, events
}
