package source_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
	"namibuild/builder/source"
)

// prepare runs Prepare and returns the entries of the topdir.
func prepare(t testing.TB, srpm string, r recipe.Recipe) (source.Preview, []item) {
	t.Helper()
	out := scratch(t)
	preview, err := source.Prepare(t.Context(), at(t, srpm, r.Source.Tarball.File), r, out, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	return preview, unpack(t, out)
}

// content returns the content of a file of the topdir.
func content(t testing.TB, items []item, name string) string {
	t.Helper()
	for _, it := range items {
		if it.Name == name {
			return it.content
		}
	}
	t.Fatalf("the topdir has no %s", name)
	return ""
}

func TestPreview(t *testing.T) {
	before := runtime.NumGoroutine()
	got, err := source.Inspect(t.Context(), at(t, stock(t)), timewait, nil)
	if err != nil {
		t.Fatal(err)
	}
	settled(t, before)
	changes := got.Changes
	got.Changes = nil
	want := source.Preview{
		Package:       rpm.NEVRA{Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "src"},
		Spec:          "kernel.spec",
		Tarball:       "linux-2.6.32-431.3.1.el6.tar.bz2",
		Epoch:         epoch,
		BuildRequires: []string{"module-init-tools", "patch >= 2.5.4"},
		Renames: []source.Rename{
			{What: "distro_build", From: "431.3.1", To: "431.3.1.namibuild"},
			{What: "kversion", From: "2.6.32-431.3.1.el6", To: "2.6.32-431.3.1.namibuild.el6"},
			{What: "Source0", From: "linux-2.6.32-431.3.1.el6.tar.bz2", To: "linux-2.6.32-431.3.1.namibuild.el6.tar.bz2"},
			{What: "tarball", From: "linux-2.6.32-431.3.1.el6.tar.bz2", To: "linux-2.6.32-431.3.1.namibuild.el6.tar.bz2"},
			{What: "directory", From: "linux-2.6.32-431.3.1.el6", To: "linux-2.6.32-431.3.1.namibuild.el6"},
			{What: "EXTRAVERSION", From: "", To: "-431.3.1.namibuild.el6"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var paths []string
	for _, c := range changes {
		paths = append(paths, c.Path)
	}
	if diff := cmp.Diff([]string{"kernel.spec", newDir + "/Makefile", newDir + "/include/net/tcp.h"}, paths); diff != "" {
		t.Error(diff)
	}
}

func TestGoldenDiff(t *testing.T) {
	preview, err := source.Inspect(t.Context(), at(t, stock(t)), timewait, nil)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/timewait.diff"
	if *update {
		if err := os.WriteFile(golden, []byte(preview.Diff()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), preview.Diff()); diff != "" {
		t.Error(diff)
	}
}

func TestPrepareTopdir(t *testing.T) {
	srpm := stock(t)
	preview, got := prepare(t, srpm, timewait)
	spec := strings.NewReplacer(
		"%define distro_build 431.3.1\n", "%define distro_build 431.3.1.namibuild\n",
		"%define kversion 2.6.32-431.3.1.el6\n", "%define kversion 2.6.32-431.3.1.namibuild.el6\n",
		"Source0: linux-2.6.32-431.3.1.el6.tar.bz2\n", "Source0: linux-2.6.32-431.3.1.namibuild.el6.tar.bz2\n",
	).Replace(stockSpec(t))
	entry := func(kind byte, name string, mode, mtime int64, content string) item {
		return item{tar.Header{Typeflag: kind, Name: name, Mode: mode, Uid: 1000, Gid: 1000, ModTime: time.Unix(mtime, 0)}, content}
	}
	inner := content(t, got, "SOURCES/"+newDir+".tar.bz2")
	want := []item{
		entry(tar.TypeDir, "BUILD/", 0o755, epoch, ""), entry(tar.TypeDir, "BUILDROOT/", 0o755, epoch, ""),
		entry(tar.TypeDir, "RPMS/", 0o755, epoch, ""), entry(tar.TypeDir, "SOURCES/", 0o755, epoch, ""),
		entry(tar.TypeDir, "SPECS/", 0o755, epoch, ""), entry(tar.TypeDir, "SRPMS/", 0o755, epoch, ""),
		entry(tar.TypeReg, "SOURCES/genkey", 0o755, oldTime, "#!/bin/sh\n"),
		entry(tar.TypeReg, "SPECS/kernel.spec", 0o644, epoch, spec),
		entry(tar.TypeReg, "SOURCES/"+newDir+".tar.bz2", 0o644, epoch, inner),
		entry(tar.TypeReg, "SOURCES/linux-kernel-test.patch", 0o644, oldTime, ""),
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(item{})); diff != "" {
		t.Error(diff)
	}
	seen, err := source.Inspect(t.Context(), at(t, srpm), timewait, nil)
	if diff := cmp.Diff(preview, seen); err != nil || diff != "" {
		t.Error("Inspect and Prepare return different previews", err, diff)
	}
}

// TestTree rewrites a tree with every kind of entry, and compares all entries.
func TestTree(t *testing.T) {
	long := strings.Repeat("a-folder-of-twenty-eight-c/", 5) // fits into ustar with the old name, but not with the new one
	rich := file(stockDir+"/sub/second", "fractions of a second\n")
	rich.Format, rich.ModTime = tar.FormatPAX, time.Unix(oldTime, 123456789)
	rich.PAXRecords = map[string]string{"VENDOR.mark": "kept"}
	gnu := file(stockDir+"/"+strings.Repeat("g", 120), "gnu\n")
	gnu.Format = tar.FormatGNU
	items := append(stockTree(),
		file(stockDir+"/"+long+"x.c", "deep\n"), rich, gnu,
		file("./"+stockDir+"/dotted", "dot\n"),
		link(tar.TypeLink, stockDir+"/sub/hard", "./"+stockDir+"/sub/second"),
		link(tar.TypeSymlink, stockDir+"/sub/up", "../include/asm/./net/.."),
		file(stockDir+"/ünï \x01.c", "name\n"))
	for _, how := range []string{"none", "gzip", "xz", "bzip2"} {
		t.Run(how, func(t *testing.T) {
			_, got := prepare(t, write(t, stockPackage(stockSpec(t), compress(t, how, pack(t, items)))), timewait)
			tree := unpack(t, strings.NewReader(content(t, got, "SOURCES/"+newDir+".tar.bz2")))
			if diff := cmp.Diff(renamed(unpack(t, bytes.NewReader(pack(t, items)))), tree, cmp.AllowUnexported(item{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// renamed returns what the tag and the edit make of items.
func renamed(items []item) []item {
	swap := func(name string) string { return strings.Replace(name, stockDir, newDir, 1) }
	for i := range items {
		it := &items[i]
		it.Name = swap(it.Name)
		if it.Typeflag == tar.TypeLink {
			it.Linkname = swap(it.Linkname)
		}
		for _, key := range []string{"path", "linkpath"} {
			if value, ok := it.PAXRecords[key]; ok {
				it.PAXRecords[key] = swap(value)
			}
		}
		it.content = strings.Replace(it.content, "EXTRAVERSION =\n", "EXTRAVERSION = -431.3.1.namibuild.el6\n", 1)
		it.content = strings.Replace(it.content, "(60*HZ)", "(5*HZ)", 1)
	}
	return items
}

func TestEditsWithoutTag(t *testing.T) {
	spec := strings.NewReplacer(
		"Source0: linux-2.6.32-431.3.1.el6.tar.bz2", "Source0: http://example.org/pub/linux-%{kversion}.tar.bz2",
		"%define kversion 2.6.32-431.3.1.el6", "%global kversion %{version}-%{distro_build}.el6",
	).Replace(stockSpec(t))
	preview, got := prepare(t, write(t, stockPackage(spec, compress(t, "bzip2", pack(t, stockTree())))), recipe.Recipe{Edits: timewait.Edits})
	if preview.Tarball != stockTar || len(preview.Renames) != 0 || len(preview.Changes) != 1 {
		t.Errorf("tarball %s, renames %v, %d changes", preview.Tarball, preview.Renames, len(preview.Changes))
	}
	if content(t, got, "SPECS/kernel.spec") != spec {
		t.Error("the spec has changed")
	}
	want := strings.Replace(tcph, "(60*HZ)", "(5*HZ)", 1)
	inner := unpack(t, strings.NewReader(content(t, got, "SOURCES/"+stockTar)))
	if text := content(t, inner, stockDir+"/include/net/tcp.h"); text != want {
		t.Errorf("tcp.h: %s", text)
	}
	if text := content(t, inner, stockDir+"/Makefile"); text != makefile {
		t.Errorf("Makefile: %s", text)
	}
}

// TestPassThrough checks that an SRPM without changes stays as it is, whatever its
// tarball has.
func TestPassThrough(t *testing.T) {
	tarball := "no tarball at all"
	preview, got := prepare(t, write(t, stockPackage("no spec either \xff\xfe", []byte(tarball))), recipe.Recipe{})
	if got := content(t, got, "SOURCES/"+stockTar); got != tarball {
		t.Errorf("tarball: %q", got)
	}
	if got := content(t, got, "SPECS/kernel.spec"); got != "no spec either \xff\xfe" {
		t.Errorf("spec: %q", got)
	}
	if preview.Tarball != "" || preview.Diff() != "" || len(got) != 10 {
		t.Errorf("tarball %q, diff %q, %d entries", preview.Tarball, preview.Diff(), len(got))
	}
}

// TestSourceOfMacros checks that a Source0 made of kversion is not edited, and that
// bytes that are not UTF-8, white space and line ends stay.
func TestSourceOfMacros(t *testing.T) {
	spec := "%global\tdistro_build  431.3.1 \r\n# caf\xe9\n  %define kversion\t2.6.32-431.3.1.el6\nsource0 :linux-%{kversion}.tar.bz2"
	preview, got := prepare(t, write(t, stockPackage(spec, compress(t, "bzip2", pack(t, stockTree())))), timewait)
	want := strings.ReplaceAll(spec, "431.3.1", "431.3.1.namibuild")
	if got := content(t, got, "SPECS/kernel.spec"); got != want {
		t.Errorf("spec: %q", got)
	}
	content(t, got, "SOURCES/"+newDir+".tar.bz2")
	if n := len(preview.Renames); n != 5 {
		t.Errorf("%d renames, want 5 without Source0", n)
	}
}

// TestSpecBehindTarball checks that the order of the payload does not matter.
func TestSpecBehindTarball(t *testing.T) {
	p := stockPackage(stockSpec(t), compress(t, "bzip2", pack(t, stockTree())))
	p.Files[1].Path = "zz.spec"
	preview, got := prepare(t, write(t, p), timewait)
	if preview.Spec != "zz.spec" || len(preview.Changes) != 3 {
		t.Errorf("spec %s, %d changes", preview.Spec, len(preview.Changes))
	}
	if got[len(got)-1].Name != "SPECS/zz.spec" {
		t.Errorf("last entry %s", got[len(got)-1].Name)
	}
}

// TestSameBytes checks that two runs write the same bytes, at any offset of w.
func TestSameBytes(t *testing.T) {
	srpm := stock(t)
	var outs [2][]byte
	for i := range outs {
		out := scratch(t)
		if _, err := out.WriteString(strings.Repeat("x", 7*i)); err != nil {
			t.Fatal(err)
		}
		if _, err := source.Prepare(t.Context(), at(t, srpm), timewait, out, nil); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		outs[i] = data[7*i:]
	}
	if !bytes.Equal(outs[0], outs[1]) || len(outs[0])%512 != 0 {
		t.Errorf("%d and %d bytes", len(outs[0]), len(outs[1]))
	}
}

// TestOlder checks the warning: rpm sorts letters by the alphabet, and below numbers.
func TestOlder(t *testing.T) {
	for tag, older := range map[string]bool{"namibuild": false, "zz": false, "1": false, "el6": false, "a": true, "centos.plus": true} {
		preview, err := source.Inspect(t.Context(), at(t, stock(t)), recipe.Recipe{Tag: tag}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(preview.Warnings) > 0; got != older {
			t.Errorf("%s: %q", tag, preview.Warnings)
		}
	}
}

// TestProgress checks that progress is reported in the caller's goroutine, and rises
// to the size of the payload.
func TestProgress(t *testing.T) {
	big := append(stockTree(), file(stockDir+"/noise", noise(12<<20)))
	srpm := write(t, stockPackage(stockSpec(t), compress(t, "bzip2", pack(t, big))))
	var calls, last, total int64
	progress := func(done, all int64) {
		if done <= last || done > all {
			t.Errorf("%d of %d after %d", done, all, last)
		}
		calls, last, total = calls+1, done, all
	}
	if _, err := source.Prepare(t.Context(), at(t, srpm), timewait, scratch(t), progress); err != nil {
		t.Fatal(err)
	}
	if calls < 3 || last != total || total < 12<<20 {
		t.Errorf("%d calls, %d of %d", calls, last, total)
	}
	calls, last = 0, 0
	if _, err := source.Inspect(t.Context(), at(t, srpm), timewait, progress); err != nil {
		t.Fatal(err)
	}
	if last >= total {
		t.Errorf("Inspect read all of the %d bytes", total)
	}
}

func TestNoFileLeft(t *testing.T) {
	srpm := stock(t)
	prepare(t, srpm, timewait)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(srpm), "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the SRPM: %v %v", left, err)
	}
}
