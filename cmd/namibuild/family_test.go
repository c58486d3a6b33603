//go:build !e2e

package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"namibuild/builder/rpm/rpmtest"
)

// specFamily is a shipped recipe and a source for it, which has the names and the lines of
// the real spec, and the tiny kernel's tree.
type specFamily struct {
	name, recipe     string
	version, release string
	top              string
}

var families = []specFamily{
	{"elrepo", "elrepo-ml6.6-timewait", "6.6.0", "1.el9.elrepo", "linux-6.6"},
	{"el7", "centos7.9-timewait", "3.10.0", "1160.119.1.el7", "linux-3.10.0-1160.119.1.el7"},
	{"el8", "rocky8.9-timewait", "4.18.0", "513.5.1.el8_9", "linux-4.18.0-513.5.1.el8_9"},
	{"el9", "rocky9.3-timewait", "5.14.0", "362.8.1.el9_3", "linux-5.14.0-362.8.1.el9_3"},
}

func (f specFamily) srpm(t *testing.T) []byte {
	t.Helper()
	spec, err := os.ReadFile("../../builder/source/testdata/family/" + f.name + ".spec")
	if err != nil {
		t.Fatal(err)
	}
	k := newTiny()
	k.top = f.top
	files := []rpmtest.File{{Path: "kernel.spec", Content: string(spec), Mode: 0o100644, Flags: 1 << 5}}
	if f.name != "elrepo" { // whose tarball is not in the SRPM
		files = append(files, rpmtest.File{Path: f.top + ".tar.xz", Content: string(k.tarball(t)), Mode: 0o100644})
	}
	return rpmtest.Build(rpmtest.Package{
		Name: "kernel", Version: f.version, Release: f.release, Arch: "x86_64", Source: true, BuildTime: 1700000000, Files: files,
	})
}

// withTarball writes the tarball that is not in ELRepo's SRPM into dir, and its name and
// digest into the page.
func (f specFamily) withTarball(t *testing.T, dir string, page []byte) []byte {
	t.Helper()
	k := newTiny()
	k.top = f.top
	tarball := k.tarball(t)
	write(t, filepath.Join(dir, f.top+".tar.xz"), tarball)
	page = regexp.MustCompile(`(?m)^    url: .*$`).ReplaceAll(page, []byte("    file: "+f.top+".tar.xz"))
	return regexp.MustCompile(`(?m)^    sha256: .*$`).ReplaceAll(page, fmt.Appendf(nil, "    sha256: %x", sha256.Sum256(tarball)))
}
