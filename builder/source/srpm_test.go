package source_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/ulikunitz/xz"

	"namibuild/builder/hosttest"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/source"
)

var update = flag.Bool("update", false, "rewrite the goldens")

const (
	kversion = "2.6.32-431.3.1.el6"
	stockDir = "linux-" + kversion
	stockTar = stockDir + ".tar.bz2"
	newDir   = "linux-2.6.32-431.3.1.namibuild.el6"
	epoch    = 1386782400 // 2013-12-11, the SRPM's build time
	oldTime  = 1300000000 // everything else
	makefile = "VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 32\nEXTRAVERSION =\nNAME = Man-Eating Seals of Antiquity\n"
	tcph     = "#ifndef _TCP_H\n#define _TCP_H\n\n#define TCP_SYNACK_RETRIES 5\n\n" +
		"#define TCP_TIMEWAIT_LEN (60*HZ) /* how long to wait */\n#define TCP_FIN_TIMEOUT TCP_TIMEWAIT_LEN\n\n#endif\n"
)

// timewait is a recipe with a tag and an edit.
var timewait = recipe.Recipe{Tag: "namibuild", Edits: []recipe.Edit{{
	File: "include/net/tcp.h", Find: "#define TCP_TIMEWAIT_LEN (60*HZ)", Replace: "#define TCP_TIMEWAIT_LEN (5*HZ)", Times: 1,
}}}

// item is an entry of a tarball.
type item struct {
	tar.Header
	content string
}

func file(name, content string) item {
	return item{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o664, Uname: "root", Gname: "root",
		ModTime: time.Unix(oldTime, 0)}, content}
}

func folder(name string) item {
	return item{tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o775, ModTime: time.Unix(oldTime, 0)}, ""}
}

func link(kind byte, name, target string) item {
	return item{tar.Header{Typeflag: kind, Name: name, Linkname: target, Mode: 0o777, ModTime: time.Unix(oldTime, 0)}, ""}
}

// stockTree returns the smallest kernel tree that the tests can use.
func stockTree() []item {
	return []item{
		{tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header",
			PAXRecords: map[string]string{"comment": "2e5dcc2f8cd0"}}, ""},
		folder(stockDir + "/"),
		file(stockDir+"/COPYING", "GPLv2\n"),
		file(stockDir+"/Makefile", makefile),
		folder(stockDir + "/include/"),
		link(tar.TypeSymlink, stockDir+"/include/asm", "net"),
		folder(stockDir + "/include/net/"),
		file(stockDir+"/include/net/tcp.h", tcph),
		link(tar.TypeLink, stockDir+"/LICENSE", stockDir+"/COPYING"),
		file(stockDir+"/scripts/empty", ""),
	}
}

// pack returns a tar of items.
func pack(t testing.TB, items []item) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, it := range items {
		h := it.Header
		h.Size = int64(len(it.content))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, it.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// unpack returns the entries of a tar, without sizes and formats.
func unpack(t testing.TB, r io.Reader) []item {
	t.Helper()
	var items []item
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		if err == io.EOF {
			return items
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		h.Size, h.Format = 0, 0
		items = append(items, item{*h, string(content)})
	}
}

// compress packs data with a program. "none" leaves it as it is.
func compress(t testing.TB, how string, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser
	switch how {
	case "none":
		return data
	case "gzip":
		w = gzip.NewWriter(&buf)
	case "xz":
		var err error
		if w, err = xz.NewWriter(&buf); err != nil {
			t.Fatal(err)
		}
	case "bzip2":
		cmd := exec.Command(hosttest.Program(t, "bzip2"), "-1")
		cmd.Stdin, cmd.Stdout = bytes.NewReader(data), &buf
		if err := cmd.Run(); err != nil {
			t.Fatalf("bzip2: %v", err)
		}
		return buf.Bytes()
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func stockSpec(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/kernel.spec")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// stockPackage returns the SRPM with a spec and a tarball.
func stockPackage(spec string, tarball []byte) rpmtest.Package {
	payload := "gzip"
	if len(tarball) > 1<<20 {
		payload = "none" // a minute less with the race detector
	}
	return rpmtest.Package{
		Payload: payload, Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "x86_64", Source: true, BuildTime: epoch,
		Requires: []rpmtest.Require{{Name: "module-init-tools"}, {Name: "patch", Flags: rpmtest.Greater | rpmtest.Equal, Version: "2.5.4"}},
		Files: []rpmtest.File{
			{Path: "genkey", Content: "#!/bin/sh\n", Mode: 0o100775, Mtime: oldTime},
			{Path: "kernel.spec", Content: spec, Flags: rpm.FlagSpecfile, Mtime: oldTime},
			{Path: stockTar, Content: string(tarball), Mtime: oldTime},
			{Path: "linux-kernel-test.patch", Content: "", Mode: 0o100600, Mtime: oldTime},
		},
	}
}

// at returns the SRPM at a path, and the tarball at another unless that is empty,
// for the time of the test.
func at(t testing.TB, srpm string, tarball ...string) source.Files {
	t.Helper()
	open := func(name string) *os.File {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	in := source.Files{Name: filepath.Base(srpm), SRPM: open(srpm)}
	for _, name := range slices.DeleteFunc(tarball, func(name string) bool { return name == "" }) {
		in.Tarball = open(name)
	}
	return in
}

// write writes an SRPM to a file.
func write(t testing.TB, p rpmtest.Package) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "kernel-2.6.32-431.3.1.el6.src.rpm")
	if err := os.WriteFile(name, rpmtest.Build(p), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// stock writes the usual SRPM to a file.
func stock(t testing.TB) string {
	t.Helper()
	return write(t, stockPackage(stockSpec(t), compress(t, "bzip2", pack(t, stockTree()))))
}

// scratch returns an empty file to write to.
func scratch(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "topdir.tar"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// settled fails the test if new goroutines are left.
func settled(t testing.TB, before int) {
	t.Helper()
	for wait := time.Millisecond; runtime.NumGoroutine() > before; wait *= 2 {
		if wait > 2*time.Second {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(wait)
	}
}

// noise returns text that cannot be compressed, the same in each run.
func noise(n int) string {
	buf := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(buf)
	return string(buf)
}
