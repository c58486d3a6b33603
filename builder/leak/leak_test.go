package leak

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

const epoch = 1389000000 // 2014-01-06

var facts = Facts{Epoch: epoch, Hostname: "localhost", Host: "build-7.example.org",
	Days: []time.Time{time.Date(2026, 11, 4, 23, 0, 0, 0, time.UTC), time.Date(2026, 11, 5, 1, 0, 0, 0, time.UTC)}}

// packageWith returns a package without leaks but those in the content of a file.
func packageWith(content string) rpmtest.Package {
	return rpmtest.Package{Name: "kernel", Version: "1", Release: "1", BuildTime: epoch, Files: []rpmtest.File{
		{Path: "/opt", Mode: 0o40755, Mtime: epoch}, {Path: "/opt/x", Content: content, Mtime: epoch}}}
}

func find(t *testing.T, p rpmtest.Package, f Facts) []Leak {
	t.Helper()
	found, err := Find(bytes.NewReader(rpmtest.Build(p)), f)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// with returns a change that replaces the value of a tag in a header.
func with(v rpm.Value) func([]rpm.Value) []rpm.Value {
	return func(list []rpm.Value) []rpm.Value {
		for i, o := range list {
			if o.Tag() == v.Tag() {
				list[i] = v
			}
		}
		return list
	}
}

func TestLeaksOfThePackage(t *testing.T) {
	tests := map[string]struct {
		change func(*rpmtest.Package)
		want   []Leak
	}{
		"nothing": {func(*rpmtest.Package) {}, nil},
		"build time": {func(p *rpmtest.Package) { p.BuildTime++ },
			[]Leak{{BuildTime, "", "2014-01-06 09:20:01 UTC", "2014-01-06 09:20:00 UTC", 1}}},
		"build host": {func(p *rpmtest.Package) { p.Change = with(rpm.StringValue(rpm.TagBuildHost, "f00ba4")) },
			[]Leak{{BuildHost, "", "f00ba4", "localhost", 1}}},
		"mtime": {func(p *rpmtest.Package) { p.Files[1].Mtime = epoch + 60 },
			[]Leak{{Mtime, "/opt/x", "2014-01-06 09:21:00 UTC", "at most 2014-01-06 09:20:00 UTC", 2}}},
		"older file": {func(p *rpmtest.Package) { p.Files[1].Mtime = 1 }, nil},
		"devices of the header": {func(p *rpmtest.Package) { p.Change = with(rpm.Int32Value(rpm.TagFileDevices, 51, 51)) },
			[]Leak{{Device, "", "51", "1", 2}}},
		"device of the archive": {func(p *rpmtest.Package) { p.Entry = func(_ rpmtest.File, n []int) { n[8] = 51 } },
			[]Leak{{Device, "/opt", "0:51", "0:1", 2}}},
		"inodes of the header": {func(p *rpmtest.Package) { p.Change = with(rpm.Int32Value(rpm.TagFileInodes, 2, 77)) },
			[]Leak{{Inode, "/opt/x", "77", "at most 2", 1}}},
		"inodes of the archive": {func(p *rpmtest.Package) { p.Entry = func(_ rpmtest.File, n []int) { n[0] += 10 } },
			[]Leak{{Inode, "/opt", "11", "at most 2", 2}}},
		"inodes of an rpm that does not number": {func(p *rpmtest.Package) {
			p.Change = func(list []rpm.Value) []rpm.Value {
				return with(rpm.StringValue(rpm.TagRPMVersion, "4.9.1"))(with(rpm.Int32Value(rpm.TagFileInodes, 2, 77))(list))
			}
			p.Entry = func(_ rpmtest.File, n []int) { n[0] += 10 }
		}, nil},
		"directory on tmpfs": {func(p *rpmtest.Package) { p.Change = with(rpm.Int32Value(rpm.TagFileSizes, 60, 0)) },
			[]Leak{{DirectorySize, "/opt", "60", "4096", 1}}},
		"directory on ext4": {func(p *rpmtest.Package) { p.Change = with(rpm.Int32Value(rpm.TagFileSizes, 4096, 0)) }, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := packageWith("")
			test.change(&p)
			if diff := cmp.Diff(test.want, find(t, p, facts)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// gz returns content compressed by gzip, with a time in the header unless it is 0.
func gz(content string, stamp int64) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if stamp != 0 {
		w.ModTime = time.Unix(stamp, 0)
	}
	w.Write([]byte(content))
	w.Close()
	return b.String()
}

// bzImage returns a kernel image: setup sectors and a packed kernel.
func bzImage(payload string) string {
	b := make([]byte, 1024)
	b[0x1f1], b[0x1fe], b[0x1ff] = 1, 0x55, 0xaa
	copy(b[0x202:], "HdrS\x0f\x02")
	binary.LittleEndian.PutUint32(b[0x24c:], uint32(len(payload)))
	return string(b) + payload + "sum."
}

func TestLeaksInFiles(t *testing.T) {
	today := time.Date(2026, 11, 5, 0, 30, 0, 0, time.UTC).Unix()
	tests := map[string]struct {
		content string
		kind    Kind
		got     string
	}{
		"__DATE__":                 {`"Nov  4 2026"`, Date, "Nov  4 2026"},
		"the next day":             {"x Nov  5 2026 y", Date, "Nov  5 2026"},
		"date":                     {"#1 SMP Thu Nov  5 00:30:00 UTC 2026\n", Date, "Thu Nov  5 00:30:00 UTC 2026"},
		"ISO":                      {"at 2026-11-04T10:00", Date, "2026-11-04"},
		"mail":                     {"Thu, 05 Nov 2026 00:30:00 +0000", Date, "05 Nov 2026"},
		"manual":                   {`"11/04/2026"`, Date, "11/04/2026"},
		"prose":                    {"November 4, 2026.", Date, "November 4, 2026"},
		"compact":                  {"snapshot-20261105.", Date, "20261105"},
		"host":                     {"on build-7.example.org!", HostName, "build-7.example.org"},
		"host, short":              {"on build-7!", HostName, "build-7"},
		"gzip":                     {gz("x", today), GzipStamp, "2026-11-05 00:30:00 UTC"},
		"gzip in another file":     {"\x7fELF" + gz("x", today), GzipStamp, "2026-11-05 00:30:00 UTC"},
		"gzip in gzip":             {gz(gz("x", today), 0), GzipStamp, "2026-11-05 00:30:00 UTC"},
		"date in gzip":             {gz("Nov  4 2026", 0), Date, "Nov  4 2026"},
		"date in gzip in a file":   {"\x7fELF" + gz("Nov  4 2026", 0) + "\x00", Date, "Nov  4 2026"},
		"kernel of a bzImage":      {bzImage(gz("x", today)), GzipStamp, "2026-11-05 00:30:00 UTC"},
		"date in the kernel":       {bzImage(gz("Nov  4 2026", 0)), Date, "Nov  4 2026"},
		"date in the setup":        {strings.Replace(bzImage(gz("", 0)), strings.Repeat("\x00", 11), "Nov  4 2026", 1), Date, "Nov  4 2026"},
		"at the border of windows": {strings.Repeat(" ", window-5) + "Nov  4 2026", Date, "Nov  4 2026"},
		"behind the border":        {strings.Repeat(" ", window-margin) + "Nov  4 2026" + strings.Repeat(" ", window), Date, "Nov  4 2026"},

		"epoch's day":       {"Jan  6 2014", "", ""},
		"another day":       {"Nov  6 2026", "", ""},
		"a longer number":   {"1202611049", "", ""},
		"a longer word":     {"rebuild-7ths", "", ""},
		"source's gzip":     {gz("x", epoch-5), "", ""},
		"no stamp":          {gz("x", 0), "", ""},
		"a time by chance":  {"\x1f\x8b\x08\x00\xff\xff\xff\xff\x02\x03", "", ""},
		"damaged gzip":      {gz(strings.Repeat("x", 1000), 0)[:20], "", ""},
		"date without year": {"Thu Nov  5 00:30:00 UTC 2027", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var want []Leak
			if test.kind != "" {
				want = []Leak{{Kind: test.kind, File: "/opt/x", Got: test.got, Count: 1}}
			}
			if test.kind == GzipStamp {
				want[0].Want = "none, or at most 2014-01-06 09:20:00 UTC"
			}
			if diff := cmp.Diff(want, find(t, packageWith(test.content), facts)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHostCalledByAWord checks that a host name which is a common word is a leak
// only where the name of a host is usual.
func TestHostCalledByAWord(t *testing.T) {
	f := facts
	f.Host = "vm"
	for content, want := range map[string]string{
		"Linux version 6.1 (root@vm) (gcc": "root@vm", `#define LINUX_COMPILE_HOST "vm"`: `#define LINUX_COMPILE_HOST "vm`, "hostname: vm\n": "hostname: vm",
		"the vm of x86": "", `.procname = "vm",`: "", "ghost vmx": "", "@vm.max": "", "host vmlinux": "",
	} {
		var got string
		for _, l := range find(t, packageWith(content), f) {
			got = l.Got
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", content, got, want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	p := packageWith(strings.Repeat("0123456789abcdef", 4<<20))
	p.Payload = "none"
	data := rpmtest.Build(p)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if found, err := Find(bytes.NewReader(data), facts); err != nil || len(found) > 0 {
		t.Error(found, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes were allocated in all for a file of 64 MiB", used)
	}
}

func TestLeakText(t *testing.T) {
	got := fmt.Sprint(Leak{Mtime, "/opt/x", "later", "at most now", 3}, "; ", Leak{Kind: BuildHost, Got: "a", Want: "b", Count: 1})
	if want := "mtime in /opt/x: later, want at most now (and 2 more); BUILDHOST in the header: a, want b"; got != want {
		t.Errorf("got %s", got)
	}
}

// FuzzFind checks that searching any content ends without an error.
func FuzzFind(f *testing.F) {
	for _, s := range []string{"Nov  4 2026", gz("x", epoch+1), bzImage(gz("build-7", 0)), "root@build-7"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		s := &search{Facts: facts, needles: needles(facts)}
		if err := s.content(bytes.NewReader(content)); err != nil {
			t.Error(err)
		}
	})
}
