package compare

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

const epoch = 1389000000

// kernel returns a package with these files and a few others.
func kernel(files ...rpmtest.File) rpmtest.Package {
	all := append([]rpmtest.File{{Path: "/boot", Mode: 0o40755, Mtime: epoch}, {Path: "/boot/a", Content: "a\n", Mtime: epoch},
		{Path: "/boot/b", Linkname: "a", Mtime: epoch}}, files...)
	return rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "1.el6", Arch: "x86_64", BuildTime: epoch, Files: all}
}

// with puts a value into the header of a package, in place of the present one.
func with(p *rpmtest.Package, v rpm.Value) {
	before := p.Change
	p.Change = func(list []rpm.Value) []rpm.Value {
		if before != nil {
			list = before(list)
		}
		list = slices.DeleteFunc(list, func(o rpm.Value) bool { return o.Tag() == v.Tag() })
		return append(list, v)
	}
}

// outcome compares two packages and returns the verdict and the findings, as
// summary does.
func outcome(t *testing.T, a, b rpmtest.Package) []string {
	t.Helper()
	return summary(bytesPair(t, rpmtest.Build(a), rpmtest.Build(b)))
}

// bytesPair compares two packages.
func bytesPair(t *testing.T, a, b []byte) Pair {
	t.Helper()
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.rpm"), filepath.Join(dir, "two.rpm")
	for name, data := range map[string][]byte{one: a, two: b} {
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	found, err := Files(one, two)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// summary returns the verdict, and a line for each finding that does not follow
// from others.
func summary(p Pair) []string {
	all := []string{string(p.Verdict)}
	for _, f := range p.Findings {
		switch f.Kind {
		case HasCause:
			all = append(all, fmt.Sprintf("%s: %s %d", f.Cause.Name, f.What, f.Count))
		case NoReason:
			all = append(all, fmt.Sprintf("?: %s %d", f.What, f.Count))
		}
	}
	return all
}

// gz returns content compressed by gzip, with a time and a name in the header.
func gz(content string, stamp int64, name string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name = name
	if stamp != 0 {
		w.ModTime = time.Unix(stamp, 0)
	}
	w.Write([]byte(content))
	w.Close()
	return b.String()
}

// planted are differences of the package itself: what is changed in one of two
// equal packages, and what must be found.
var planted = map[string]struct {
	change func(*rpmtest.Package)
	want   []string
}{
	"nothing":    {func(*rpmtest.Package) {}, []string{"identical"}},
	"build time": {func(p *rpmtest.Package) { p.BuildTime++ }, []string{"explained", "clock: header tag BUILDTIME 1"}},
	"build host": {func(p *rpmtest.Package) { with(p, rpm.StringValue(rpm.TagBuildHost, "f00ba4")) },
		[]string{"explained", "host: header tag BUILDHOST 1"}},
	"cookie": {func(p *rpmtest.Package) { with(p, rpm.StringValue(rpm.TagCookie, "f00ba4 1389000000")) },
		[]string{"explained", "stage: header tag COOKIE 1"}},
	"mtime of a file": {func(p *rpmtest.Package) { p.Files[1].Mtime += 5 },
		[]string{"explained", "mtime: cpio mtime 1", "mtime: header tag FILEMTIMES 1"}},
	"device in the header": {func(p *rpmtest.Package) { with(p, rpm.Int32Value(rpm.TagFileDevices, 52, 52, 52)) },
		[]string{"explained", "device: header tag FILEDEVICES 3"}},
	"device in the archive": {func(p *rpmtest.Package) { p.Entry = func(_ rpmtest.File, n []int) { n[8] = 52 } },
		[]string{"explained", "device: cpio device 3"}},
	"inode in the header": {func(p *rpmtest.Package) { with(p, rpm.Int32Value(rpm.TagFileInodes, 7, 8, 9)) },
		[]string{"explained", "inode: header tag FILEINODES 3"}},
	"inode in the archive": {func(p *rpmtest.Package) { p.Entry = func(_ rpmtest.File, n []int) { n[0] += 77 } },
		[]string{"explained", "inode: cpio inode 3"}},
	"links of a folder": {func(p *rpmtest.Package) {
		p.Entry = func(f rpmtest.File, n []int) {
			if f.Path == "/boot" {
				n[4] = 2
			}
		}
	}, []string{"explained", "directory-size: cpio links 1"}},
	"size of a folder": {func(p *rpmtest.Package) { with(p, rpm.Int32Value(rpm.TagFileSizes, 4096, 2, 1)) },
		[]string{"explained", "directory-size: header tag FILESIZES 1"}},
	"owner in the header": {func(p *rpmtest.Package) { with(p, rpm.StringsValue(rpm.TagFileUsername, "joe", "joe", "joe")) },
		[]string{"explained", "user: header tag FILEUSERNAME 3"}},
	"owner in the archive": {func(p *rpmtest.Package) { p.Entry = func(_ rpmtest.File, n []int) { n[2] = 1000 } },
		[]string{"explained", "user: cpio owner 3"}},
	"rpm's version": {func(p *rpmtest.Package) { with(p, rpm.StringValue(rpm.TagRPMVersion, "4.19.1")) },
		[]string{"explained", "toolchain: header tag RPMVERSION 1"}},
	"vendor": {func(p *rpmtest.Package) { with(p, rpm.StringValue(rpm.TagVendor, "Example")) },
		[]string{"unexplained", "?: header tag VENDOR 1"}},
	"threads of the compressor": {func(p *rpmtest.Package) { with(p, rpm.StringValue(rpm.TagPayloadFlags, "9T4")) },
		[]string{"explained", "jobs: header tag PAYLOADFLAGS 1"}},
	"level of the compressor": {func(p *rpmtest.Package) {
		p.Compress = func(data []byte) []byte {
			var b bytes.Buffer
			w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
			w.Write(data)
			w.Close()
			return b.Bytes()
		}
	}, []string{"explained", "toolchain: compressed form of the payload 1"}},
	"order of the files": {func(p *rpmtest.Package) {
		p.Unsorted = true
		slices.Reverse(p.Files)
	}, []string{"explained", "inode: cpio inode 2", "order: order of the payload 1", "order: header tag FILESIZES 1",
		"order: header tag FILEMODES 1", "order: header tag FILELINKTOS 1", "order: header tag DIRINDEXES 1",
		"order: header tag BASENAMES 1", "order: header tag DIRNAMES 1"}},
	"a file more":       {func(p *rpmtest.Package) { p.Files = append(p.Files, rpmtest.File{Path: "/boot/c"}) }, []string{"unexplained", "?: file 1"}},
	"mode of a file":    {func(p *rpmtest.Package) { p.Files[1].Mode = 0o100600 }, []string{"unexplained", "?: cpio mode 1", "?: header tag FILEMODES 1"}},
	"target of a link":  {func(p *rpmtest.Package) { p.Files[2].Linkname = "c" }, []string{"unexplained", "?: link target 1"}},
	"content of a file": {func(p *rpmtest.Package) { p.Files[1].Content = "b\n" }, []string{"unexplained", "?: content 1"}},
	"version": {func(p *rpmtest.Package) { p.Version = "2.6.33" },
		[]string{"unexplained", "?: header tag VERSION 1", "?: header tag SOURCERPM 1", "?: header tag PROVIDEVERSION 1", "?: lead 1"}},
	"a requirement": {func(p *rpmtest.Package) { with(p, rpm.StringsValue(rpm.TagProvideName, "linux")) }, []string{"unexplained", "?: header tag PROVIDENAME 1"}},
	"a script":      {func(p *rpmtest.Package) { with(p, rpm.StringValue(rpm.TagPostinstall, "rm -rf /")) }, []string{"unexplained", "?: header tag POSTIN 1"}},
	"digest that lies": {func(p *rpmtest.Package) {
		with(p, rpm.StringsValue(rpm.TagFileDigests, "", strings.Repeat("0", 64), ""))
	}, []string{"unexplained", "?: header tag FILEDIGESTS 1"}},
	"capability of a file": {func(p *rpmtest.Package) { with(p, rpm.StringsValue(5010, "", "cap_net_raw=ep", "")) },
		[]string{"unexplained", "?: header tag FILECAPS 1"}},
}

func TestPlantedInPackages(t *testing.T) {
	for name, test := range planted {
		t.Run(name, func(t *testing.T) {
			a, b := kernel(), kernel()
			test.change(&b)
			if diff := cmp.Diff(test.want, outcome(t, a, b)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPair compares the whole value for a package that was built a second later,
// with a gzip file in it.
func TestPair(t *testing.T) {
	twin := func(time int64) []byte {
		p := kernel(rpmtest.File{Path: "/opt/x.gz", Content: gz("x", time, ""), Mtime: epoch})
		p.BuildTime, p.Legacy, p.Payload = time, true, "none"
		return rpmtest.Build(p)
	}
	found := bytesPair(t, twin(epoch), twin(epoch+1))
	for i := range found.Findings { // digests are not checked here
		for j := range found.Findings[i].At {
			if found.Findings[i].Kind == Follows {
				found.Findings[i].At[j].A, found.Findings[i].At[j].B = "", ""
			}
		}
	}
	found.A, found.B = "", ""
	times := [2]string{"1389000000 (2014-01-06 09:20:00 UTC)", "1389000001 (2014-01-06 09:20:01 UTC)"}
	at := func(p Place, values ...string) []Difference {
		return []Difference{{Place: p, A: strings.Join(values[:len(values)/2], ""), B: strings.Join(values[len(values)/2:], "")}}
	}
	signatureTag := func(name string) Finding {
		p := Place{Tag: "signature " + name}
		return Finding{Follows, nil, "signature header tag " + name, "header and payload", 1, at(p)}
	}
	want := Pair{Name: "one.rpm", Verdict: Explained, Findings: []Finding{
		{HasCause, gzipStamp, "gzip stamp", "", 1, at(Place{File: "/opt/x.gz", Field: "gzip stamp"}, times[:]...)},
		{HasCause, clock, "header tag BUILDTIME", "", 1, at(Place{Tag: "BUILDTIME"}, times[:]...)},
		{Follows, nil, "header tag FILEDIGESTS", "the content of the file", 1, at(Place{Tag: "FILEDIGESTS", File: "/opt/x.gz"})},
		signatureTag("SHA1"), signatureTag("MD5"),
	}}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
}
