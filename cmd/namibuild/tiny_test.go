package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"namibuild/builder/rpm/rpmtest"
)

// tiny is a source package that has the form of EL6's kernel and builds in a second. Its one
// C file prints how long TIME_WAIT is.
type tiny struct {
	spec     string
	top      string // the tree's top directory
	tree     map[string]string
	build    string // an additional command of %build
	edits    []edit
	packages []string
	config   string              // config: of the recipe, as a mapping on one line
	sources  []rpmtest.File      // more files of the SRPM
	mangle   func([]byte) []byte // changes the SRPM after its digest was computed
}

type edit struct{ file, find, replace string }

func newTiny() tiny {
	return tiny{
		spec:     tinySpec,
		top:      "linux-2.6.32-431.3.1.el6",
		tree:     tinyTree,
		build:    ":",
		edits:    []edit{{"include/net/tcp.h", "#define TCP_TIMEWAIT_LEN (60*HZ)", "#define TCP_TIMEWAIT_LEN (5*HZ)"}},
		packages: []string{"kernel"},
	}
}

const tinySpec = `%define distro_build 431.3.1
%define kversion 2.6.32-431.3.1.el6
%define rpmversion 2.6.32
# define buildid .local
%define pkg_release %{distro_build}.el6%{?buildid}
%define KVERREL %{rpmversion}-%{pkg_release}.%{_target_cpu}
%define debug_package %{nil}
Name: kernel
Summary: A kernel as small as can be
Version: %{rpmversion}
Release: %{pkg_release}
License: GPLv2
ExclusiveArch: x86_64
Source0: linux-2.6.32-431.3.1.el6.tar.bz2
%description
A kernel as small as can be.
%prep
%setup -q -n kernel-%{kversion} -c
mv linux-%{kversion} vanilla-%{kversion}
cp -rl vanilla-%{kversion} linux-%{KVERREL}
%build
cd linux-%{KVERREL}
grep -qx 'EXTRAVERSION = -431.3.1.namibuild.el6' Makefile
@BUILD@
gcc -Iinclude -o timewait net/tcp.c
%install
mkdir -p %{buildroot}/boot
linux-%{KVERREL}/timewait > %{buildroot}/boot/timewait
%files
/boot/timewait
`

var tinyTree = map[string]string{
	"Makefile":          "VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 32\nEXTRAVERSION =\n",
	"include/net/tcp.h": "#define HZ 1\n#define TCP_TIMEWAIT_LEN (60*HZ) /* how long to wait to destroy TIME-WAIT */\n",
	"net/tcp.c": `#include <stdio.h>
#include <net/tcp.h>

static int timewait(void) { return TCP_TIMEWAIT_LEN; }

int main(void) { printf("%d\n", timewait()); return 0; }
`,
}

// write writes SRPM and recipe into a folder of the test and returns the recipe's path.
func (k tiny) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	srpm := rpmtest.Build(rpmtest.Package{
		Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "x86_64", Source: true, BuildTime: 1389000000,
		Files: append([]rpmtest.File{
			{Path: "kernel.spec", Content: strings.ReplaceAll(k.spec, "@BUILD@", k.build), Mode: 0o100644, Flags: 1 << 5},
			{Path: "linux-2.6.32-431.3.1.el6.tar.bz2", Content: string(k.tarball(t)), Mode: 0o100644},
		}, k.sources...),
	})
	digest := sha256.Sum256(srpm)
	if k.mangle != nil {
		srpm = k.mangle(srpm)
	}
	var page strings.Builder
	fmt.Fprintf(&page, "name: tiny\ndescription: as small as can be\nimage: debian12\nsource:\n  file: kernel.src.rpm\n  sha256: %x\ntag: namibuild\nedits:\n", digest)
	for _, e := range k.edits {
		fmt.Fprintf(&page, "  - {file: %q, find: %q, replace: %q}\n", e.file, e.find, e.replace)
	}
	if k.config != "" {
		fmt.Fprintf(&page, "config: %s\n", k.config)
	}
	fmt.Fprintf(&page, "packages: [%s]\n", strings.Join(k.packages, ", "))
	write(t, filepath.Join(dir, "kernel.src.rpm"), srpm)
	write(t, filepath.Join(dir, "tiny.yaml"), []byte(page.String()))
	return filepath.Join(dir, "tiny.yaml")
}

func (k tiny) tarball(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(k.tree)) {
		content := k.tree[name]
		h := &tar.Header{Name: k.top + "/" + name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}
