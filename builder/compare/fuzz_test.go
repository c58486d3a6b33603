package compare

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"namibuild/builder/hosttest"
	"namibuild/builder/rpm/rpmtest"
)

// FuzzContent checks that comparing any two files ends without an error, and finds
// something if and only if they differ.
func FuzzContent(f *testing.F) {
	seeds := contents(f)
	for _, name := range []string{"time of a banner", "gzip stamp", "mtime in ar", "mtime in an initramfs", "order in tar", "mtime in zip",
		"time in Python 3", "key in C", "stamp in a bzImage", "order of lines", "packed by xz"} {
		s := seeds[name]
		f.Add(s.name, []byte(s.a), []byte(s.b))
	}
	one := assemble(f, ".text\nnop", ".section .rodata,\"a\"\n.asciz \"Jan  9 2014\"", ".section module.sig,\"a\"\n.long 1")
	f.Add("m.ko", []byte(one+appendedSignature("one")), []byte(one+appendedSignature("two")))
	f.Fuzz(func(t *testing.T, name string, a, b []byte) {
		c := &comparer{found: &list{}}
		if err := c.content(Place{File: name}, memory(a), memory(b)); err != nil {
			t.Fatalf("%v", err)
		}
		if got, want := c.found.size() == 0, bytes.Equal(a, b); got != want {
			t.Errorf("identical: got %t, want %t", got, want)
		}
	})
}

// FuzzPackage checks that a damaged package is an error, and any other one is
// identical if and only if it has the same bytes.
func FuzzPackage(f *testing.F) {
	good := rpmtest.Build(kernel(rpmtest.File{Path: "/opt/x", Content: text, Mtime: epoch}))
	other := kernel(rpmtest.File{Path: "/opt/x", Content: text + "more", Mtime: epoch + 1})
	f.Add(rpmtest.Build(other))
	f.Add(good[:len(good)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		one, two := filepath.Join(dir, "one.rpm"), filepath.Join(dir, "two.rpm")
		if os.WriteFile(one, good, 0o666) != nil || os.WriteFile(two, data, 0o666) != nil {
			t.Fatal("writing")
		}
		found, err := Files(one, two)
		if same := bytes.Equal(good, data); err == nil && same != (found.Verdict == Identical && len(found.LeftOut) == 0) {
			t.Errorf("got %s without %v, the same bytes: %t", found.Verdict, found.LeftOut, same)
		}
	})
}

// TestLargeFiles checks that large files go through temporary files and leave none
// behind.
func TestLargeFiles(t *testing.T) {
	hosttest.Time(t)
	t.Setenv("TMPDIR", t.TempDir())
	filler := strings.Repeat("0123456789abcdef", 4<<20) // 64 MiB
	plain := func(date string) []byte {
		p := kernel(rpmtest.File{Path: "/opt/x", Content: filler + "made " + date + " " + filler, Mtime: epoch})
		p.Payload = "none"
		return rpmtest.Build(p)
	}
	a, b := plain("Jan  9 2014"), plain("Jan 19 2014")
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	found := bytesPair(t, a, b)
	runtime.ReadMemStats(&after)
	if got := strings.Join(summary(found), ", "); got != "explained, clock: content 1" {
		t.Error(got)
	}
	if at := found.Findings[0].At[0]; at.Field != "offset 0x4000005" || at.A != "Jan  9 2014" {
		t.Errorf("got %+v", at)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 128<<20 { // less than one of the files
		t.Errorf("%d bytes were allocated in all for two files of 128 MiB", used)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left in $TMPDIR: %v, %v", left, err)
	}
}
