package rpm_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"namibuild/builder/hosttest"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"

	"github.com/google/go-cmp/cmp"
)

var errFailing = errors.New("the disk is on fire")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errFailing }

type readEntry struct {
	rpm.Entry
	content string
}

// digest returns the digest of a regular file as the header has it.
func (e readEntry) digest(algo rpm.DigestAlgo) string {
	if e.Mode&0o170000 != 0o100000 {
		return ""
	}
	if algo == rpm.DigestMD5 {
		sum := md5.Sum([]byte(e.content))
		return hex.EncodeToString(sum[:])
	}
	sum := sha256.Sum256([]byte(e.content))
	return hex.EncodeToString(sum[:])
}

// readPayload reads the payload of the package in data.
func readPayload(t testing.TB, p *rpm.Package, data []byte) []readEntry {
	t.Helper()
	entries, err := tryPayload(p, bytes.NewReader(data[p.PayloadOffset:]))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func tryPayload(p *rpm.Package, from io.Reader) ([]readEntry, error) {
	r, err := p.Payload(from)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var entries []readEntry
	for {
		e, err := r.Next()
		if err == io.EOF {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		entries = append(entries, readEntry{*e, string(content)})
	}
}

func bzip2(tb testing.TB, data []byte) []byte {
	tb.Helper()
	cmd := exec.Command(hosttest.Program(tb, "bzip2"), "-c")
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("bzip2: %v", err)
	}
	return out
}

// binary and source are small packages, one of each kind.
var (
	binary = rpmtest.Package{
		Name: "hello", Epoch: 3, Version: "1.0", Release: "2.el6", Arch: "x86_64", BuildTime: 1390000000,
		Files: []rpmtest.File{
			{Path: "/opt/hello", Mode: 0o40755, Mtime: 1},
			{Path: "/opt/hello/empty", Mtime: 2},
			{Path: "/opt/hello/hi", Content: "hello\n", Mode: 0o100755, Mtime: 3, Flags: rpm.FlagConfig},
			{Path: "/opt/hello/link", Linkname: "hi", Mtime: 4},
			{Path: "/usr/lib/long", Content: strings.Repeat("0123456789abcdef", 5000), Mtime: 5},
		},
	}
	source = rpmtest.Package{
		Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "x86_64", Source: true, BuildTime: 1389000000,
		Requires: []rpmtest.Require{{Name: "gcc", Flags: rpmtest.Greater | rpmtest.Equal, Version: "3.4.2"}, {Name: "make"}},
		Files: []rpmtest.File{
			{Path: "kernel.spec", Content: "Name: kernel\n", Flags: rpm.FlagSpecfile, Mtime: 1},
			{Path: "linux-2.6.32-431.3.1.el6.tar.bz2", Content: "BZh", Mtime: 2},
		},
	}
)

// variants returns a package in every form that the format has.
func variants(tb testing.TB, p rpmtest.Package) map[string]rpmtest.Package {
	all := make(map[string]rpmtest.Package)
	for _, compressor := range []string{"none", "gzip", "bzip2", "xz", "lzma", "zstd"} {
		p := p
		p.Payload = compressor
		if compressor == "bzip2" {
			p.Compress = func(data []byte) []byte { return bzip2(tb, data) }
		}
		all[compressor] = p
		p.Long = true
		all[compressor+"-long"] = p
		p.Long, p.Legacy = false, true
		all[compressor+"-legacy"] = p
	}
	return all
}

func TestPayload(t *testing.T) {
	for _, want := range []rpmtest.Package{binary, source} {
		for name, v := range variants(t, want) {
			data := rpmtest.Build(v)
			p, err := rpm.Verify(bytes.NewReader(data))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			checkEntries(t, name, v, readPayload(t, p, data))
			slow, err := tryPayload(p, iotest.OneByteReader(bytes.NewReader(data[p.PayloadOffset:])))
			if err != nil {
				t.Errorf("%s, byte by byte: %v", name, err)
			}
			checkEntries(t, name, v, slow)
		}
	}
}

func checkEntries(t *testing.T, name string, p rpmtest.Package, got []readEntry) {
	t.Helper()
	var want []readEntry
	for i, f := range p.Files {
		e := readEntry{rpm.Entry{Name: f.Path, Mode: f.Mode, Size: int64(len(f.Content)), Mtime: f.Mtime, Linkname: f.Linkname,
			Inode: int64(i + 1), Nlink: 1}, f.Content}
		if !p.Source {
			e.Name = "." + e.Name
		}
		if !p.Long {
			e.Device = [2]int64{0, 1}
		}
		switch {
		case f.Linkname != "":
			e.Mode, e.Size = 0o120777, int64(len(f.Linkname))
		case f.Mode == 0:
			e.Mode = 0o100644
		}
		want = append(want, e)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(readEntry{})); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// cpioEntry returns an entry of a hand-made archive.
func cpioEntry(magic, name string, mode, inode, nlink int, content string, check int) string {
	head := magic
	for _, n := range []int{inode, mode, 0, 0, nlink, 7, len(content), 0, 0, 0, 0, len(name) + 1, check} {
		head += fmt.Sprintf("%08X", n)
	}
	pad := func(s string) string { return s + strings.Repeat("\x00", -len(s)&3) }
	return pad(head+name+"\x00") + pad(content)
}

func TestPayloadByHand(t *testing.T) {
	trailer := cpioEntry("070701", "TRAILER!!!", 0, 0, 1, "", 0)
	entry := cpioEntry("070701", "./a", 0o100644, 1, 1, "abc", 0)
	for _, c := range []struct{ name, archive, want string }{
		{"empty", trailer, "[]"},
		{"two", entry + trailer, "[./a:abc]"},
		{"zeros at the end", entry + trailer + strings.Repeat("\x00", 600), "[./a:abc]"},
		{"hard links", cpioEntry("070701", "./a", 0o100644, 1, 2, "", 0) + cpioEntry("070701", "./b", 0o100644, 1, 2, "abc", 0) + trailer, "[./a: ./b:abc]"},
		{"checksum", cpioEntry("070702", "./a", 0o100644, 1, 1, "abc", 'a'+'b'+'c') + trailer, "[./a:abc]"},
		{"wrong checksum", cpioEntry("070702", "./a", 0o100644, 1, 1, "abc", 7) + trailer, "reading payload: checksum got 00000126, want 00000007"},
		{"bytes at the end", entry + trailer + "\x00\x00x", "reading payload: bytes follow the trailer"},
		{"no trailer", entry, "reading payload: entry 2: unexpected EOF"},
		{"cut in a name", entry[:112], "reading payload: entry 1: truncated: 2 of 6 bytes: unexpected EOF"},
		{"cut in a file", entry[:118], "reading payload: unexpected EOF"},
		{"cut in padding", entry[:119], "reading payload: truncated: 0 of 1 bytes: unexpected EOF"},
		{"stray padding", entry[:119] + "x" + trailer, "reading payload: padding got 78, want zeros"},
		{"bad magic", "070709" + entry[6:], `reading payload: entry 1: magic got "070709", want "070701"`},
		{"bad number", "070701+" + entry[7:], `reading payload: entry 1: field 1: "+0000001" is not a hexadecimal number`},
		{"long name", cpioEntry("070701", strings.Repeat("a", 4096), 0o100644, 1, 1, "", 0), "reading payload: entry 1: name of 4097 bytes, want 2 to 4096"},
		{"no name", cpioEntry("070701", "", 0o100644, 1, 1, "", 0), "reading payload: entry 1: name of 1 bytes, want 2 to 4096"},
		{"name with a NUL", cpioEntry("070701", "a\x00b", 0o100644, 1, 1, "", 0), `reading payload: entry 1: name "a\x00b\x00\x00\x00" is not terminated at its length`},
		{"long link", cpioEntry("070701", "./a", 0o120777, 1, 1, strings.Repeat("a", 4096), 0), "reading payload: ./a: link target of 4096 bytes, want 1 to 4095"},
		{"empty link", cpioEntry("070701", "./a", 0o120777, 1, 1, "", 0), "reading payload: ./a: link target of 0 bytes, want 1 to 4095"},
		{"file number", "07070X00000009\x00\x00" + trailer, "reading payload: entry 1: file number 9 of 5"},
		{"no file number", "07070X0000000g\x00\x00" + trailer, `reading payload: entry 1: file number got "0000000g\x00\x00"`},
		{"no compression", "what is this", "reading payload: unknown compression format: the stream starts with 776861742069"},
		{"nothing", "", "reading payload: unknown compression format: the stream starts with "},
	} {
		p := parse(t, rpmtest.Build(binary))
		entries, err := tryPayload(p, strings.NewReader(c.archive))
		list := []string{}
		for _, e := range entries {
			list = append(list, e.Name+":"+e.content)
		}
		got := fmt.Sprint(list)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func parse(t testing.TB, data []byte) *rpm.Package {
	t.Helper()
	p, err := rpm.ReadPackage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// In the numbered form, hard links come from the header, because the payload does
// not have them.
func TestPayloadNumberedHardLinks(t *testing.T) {
	v := binary
	v.Payload, v.Long = "none", true
	v.Files = []rpmtest.File{{Path: "/a", Content: "abc"}, {Path: "/b", Content: "abc"}, {Path: "/d", Mode: 0o40755}}
	v.Change = func(values []rpm.Value) []rpm.Value {
		return replace(values, rpm.Int32Value(rpm.TagFileInodes, 9, 9, 1))
	}
	archive := "07070X00000000\x00\x00" + "07070X00000001\x00\x00abc\x00" + "07070X00000002\x00\x00" +
		cpioEntry("070701", "TRAILER!!!", 0, 0, 1, "", 0)
	entries, err := tryPayload(parse(t, rpmtest.Build(v)), strings.NewReader(archive))
	want := []readEntry{
		{rpm.Entry{Name: "./a", Mode: 0o100644, Inode: 9, Nlink: 2}, ""},
		{rpm.Entry{Name: "./b", Mode: 0o100644, Inode: 9, Nlink: 2, Size: 3}, "abc"},
		{rpm.Entry{Name: "./d", Mode: 0o40755, Inode: 1, Nlink: 1}, ""},
	}
	if diff := cmp.Diff(want, entries, cmp.AllowUnexported(readEntry{})); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// A payload that ends early is an error, and an error of the source is returned.
func TestPayloadCut(t *testing.T) {
	small := binary
	small.Files = small.Files[:4]
	for name, v := range variants(t, small) {
		data := rpmtest.Build(v)
		p := parse(t, data)
		for end := int(p.PayloadOffset); end < len(data); end++ {
			if _, err := tryPayload(p, bytes.NewReader(data[p.PayloadOffset:end])); err == nil {
				t.Errorf("%s: no error at %d of %d", name, end, len(data))
			}
			from := io.MultiReader(bytes.NewReader(data[p.PayloadOffset:end]), failing{})
			if _, err := tryPayload(p, from); !errors.Is(err, errFailing) {
				t.Errorf("%s: at %d got %v, want the source's error", name, end, err)
			}
		}
		if _, err := tryPayload(p, bytes.NewReader(append(data[p.PayloadOffset:], 'x'))); err == nil {
			t.Errorf("%s: no error with a byte after the payload", name)
		}
	}
}

// A reader that is closed in the middle leaves no goroutine.
func TestPayloadClose(t *testing.T) {
	before := runtime.NumGoroutine()
	for name, v := range variants(t, binary) {
		data := rpmtest.Build(v)
		p := parse(t, data)
		r, err := p.Payload(bytes.NewReader(data[p.PayloadOffset:]))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if got := runtime.NumGoroutine(); got > before {
			t.Errorf("%s: %d goroutines, %d before", name, got, before)
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: closing: %v", name, err)
		}
		if _, err := r.Next(); err == nil {
			t.Errorf("%s: no error after Close", name)
		}
	}
}
