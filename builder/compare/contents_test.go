package compare

//lint:file-ignore SA1019 EL6's modules are signed with DSA

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"namibuild/builder/hosttest"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// text is a kernel's banner, which holds most of what a build writes into texts.
const text = "Linux version 2.6.32 (joe@build7) (gcc version 4.4.7 20120313 (Red Hat 4.4.7-4)) #1 SMP Thu Jan 9 10:11:12 UTC 2014\n"

// contents are pairs of files that differ: the name, both contents, and what must
// be found.
func contents(t testing.TB) map[string]struct {
	name, a, b string
	want       []string
} {
	keyA, keyB := openPGPKey(t), openPGPKey(t)
	return map[string]struct {
		name, a, b string
		want       []string
	}{
		"time of a banner": {"banner", text, strings.Replace(text, "10:11:12", "10:11:13", 1), explained("clock: content 1")},
		"day of a banner": {"banner", text, strings.Replace(text, "Thu Jan 9 10:11:12 UTC", "Fri Jan 10 10:11:12 UTC", 1),
			explained("clock: content 1")},
		"host of a banner":     {"banner", text, strings.Replace(text, "build7", "f00ba4", 1), explained("host: content 1")},
		"user of a banner":     {"banner", text, strings.Replace(text, "joe", "eve", 1), explained("user: content 1")},
		"number of a banner":   {"banner", text, strings.Replace(text, "#1 ", "#12 ", 1), explained("build-number: content 1")},
		"compiler of a banner": {"banner", text, strings.Replace(text, "4.4.7-4", "4.4.7-5", 1), explained("toolchain: content 1")},
		"compile.h":            {"compile.h", `#define LINUX_COMPILE_HOST "build7"` + "\n", `#define LINUX_COMPILE_HOST "f00"` + "\n", explained("host: content 1")},
		"date of the compiler": {"x.txt", "made Jan  9 2014\n", "made Nov 24 2026\n", explained("clock: content 1")},
		"date in ISO form":     {"x.txt", "at 2014-01-09T10:11:12Z!", "at 2014-01-09T10:11:13Z!", explained("clock: content 1")},
		"date of a mail":       {"x.txt", "Thu, 09 Jan 2014 10:11:12 +0000", "Fri, 10 Jan 2014 10:11:12 +0000", explained("clock: content 1")},
		"date of a manual":     {"x.8", ".TH perf 1 01/09/2014 perf", ".TH perf 1 11/24/2026 perf", explained("clock: content 1")},
		"seconds":              {"x.txt", "t=1389262272;", "t=1389262273;", explained("clock: content 1")},
		"earlier seconds":      {"x.txt", "t=1388990000;", "t=1388990001;", explained("clock: content 1")},
		"seconds, with parts":  {"x.txt", "t=1389262272.123456789;", "t=1389262273.9;", explained("clock: content 1")},
		"build path": {"x.txt", "in /usr/src/rpmbuild/BUILD/kernel/a.c\n", "in /home/joe/rpm/BUILD/kernel/a.c\n",
			explained("path: content 1")},
		"jobs":           {"x.mk", "make -j2 all\n", "make -j16 all\n", explained("jobs: content 1")},
		"temporary name": {"x.txt", "from /tmp/ccAbC123.o\n", "from /tmp/cczZ9xY8.o\n", explained("temporary-name: content 1")},
		"order of lines": {"modules.order", "a.ko\nb.ko\nc.ko\n", "b.ko\na.ko\nc.ko\n", explained("order: order of lines 1")},
		"gzip stamp":     {"x.gz", gz(text, 0, ""), gz(text, epoch, ""), explained("gzip: gzip stamp 1")},
		"gzip name":      {"x.gz", gz(text, 0, "x"), gz(text, 0, "y"), explained("gzip: gzip name 1")},
		"packed by gzip": {"x.gz", gz(text, 0, ""), gz(strings.Replace(text, "joe", "eve", 1), 0, ""), explained("user: unpacked 1")},
		"packed by xz":   {"x.xz", packed(t, "xz", text), packed(t, "xz", strings.Replace(text, "joe", "eve", 1)), explained("user: unpacked 1")},
		"packed by zstd": {"x.zst", packed(t, "zstd", text), packed(t, "zstd", strings.Replace(text, "joe", "eve", 1)), explained("user: unpacked 1")},
		"packed by lzma": {"x.lzma", packed(t, "lzma", text), packed(t, "lzma", strings.Replace(text, "joe", "eve", 1)), explained("user: unpacked 1")},
		"packed by lz4":  {"x.lz4", packed(t, "lz4", text), packed(t, "lz4", strings.Replace(text, "joe", "eve", 1)), explained("user: unpacked 1")},
		"mtime in ar":    {"x.a", ar("1389000000", "0", text), ar("1389000001", "0", text), explained("mtime: member: ar mtime 1")},
		"owner in ar":    {"x.a", ar("0", "0", text), ar("0", "1000", text), explained("user: member: ar uid 1")},
		"member of ar": {"x.a", ar("0", "0", text), ar("0", "0", strings.Replace(text, "joe", "eve", 1)),
			explained("user: member 1")},
		"mtime in an initramfs":  {"initramfs", newc(3, epoch, 1, text), newc(3, epoch+1, 1, text), explained("mtime: member: cpio mtime 1")},
		"inode in an initramfs":  {"initramfs", newc(3, 0, 1, text), newc(4, 0, 1, text), explained("inode: member: cpio inode 1")},
		"device in an initramfs": {"initramfs", newc(3, 0, 1, text), newc(3, 0, 7, text), explained("device: member: cpio device 1")},
		"mtime in tar":           {"x.tar", tarOf(t, epoch, "a", "b"), tarOf(t, epoch+1, "a", "b"), explained("mtime: member: tar mtime 2")},
		"order in tar":           {"x.tar", tarOf(t, epoch, "a", "b"), tarOf(t, epoch, "b", "a"), explained("order: order of members 1")},
		"mtime in zip":           {"x.zip", zipOf(t, epoch, text), zipOf(t, epoch+60, text), explained("mtime: member: zip mtime 1")},
		"time in Python 2": {"x.pyc", "\x03\xf3\r\n" + seconds4(epoch) + "code of Python", "\x03\xf3\r\n" + seconds4(epoch+1) + "code of Python",
			explained("mtime: time of the Python source 1")},
		"time in Python 3": {"x.pyc", "\xa7\r\r\n\x00\x00\x00\x00" + seconds4(epoch) + "1234code", "\xa7\r\r\n\x00\x00\x00\x00" + seconds4(epoch+1) + "1234code",
			explained("mtime: time of the Python source 1")},
		"key as it is":     {"kernel.pub", keyA, keyB, explained("module-key: content 1")},
		"key among others": {"blob", "\x00\x01data" + keyA + "more", "\x00\x01data" + keyB + "more", explained("module-key: content 1")},
		"key in C":         {"key.h", inC(keyA), inC(keyB), explained("module-key: content 1")},
		"key by bin2c":     {"key.h", bin2c(keyA), bin2c(keyB), explained("module-key: content 1")},
		"stamp in a bzImage": {"vmlinuz", bzImage(text, gz(text, 0, "")), bzImage(text, gz(text, epoch, "")),
			explained("gzip: packed kernel: gzip stamp 1")},
		"kernel in a bzImage": {"vmlinuz", bzImage(text, gz(text, 0, "")), bzImage(text, gz(strings.Replace(text, "build7", "build8", 1), 0, "")),
			explained("host: packed kernel: unpacked 1")},
		"setup of a bzImage": {"vmlinuz", bzImage(text, gz(text, 0, "")), bzImage(strings.Replace(text, "joe", "eve", 1), gz(text, 0, "")),
			explained("user: setup 1")},

		"a word":               {"x.txt", "the same\n", "the shame\n", unexplained("content")},
		"a line more":          {"x.txt", "a\nb\n", "a\nb\nc\n", unexplained("content")},
		"a word beside a date": {"x.txt", "at 2014-01-09 yes\n", "at 2014-01-10 no\n", unexplained("content")},
		"binary":               {"blob", "\x00\x01\x02\x03", "\x00\x01\x02\x04", unexplained("content")},
		"a number":             {"x.c", "int x = 1234567890;", "int x = 1234567891;", unexplained("content")},
		"format":               {"x.gz", gz(text, 0, ""), text, unexplained("format")},
		"member missing":       {"x.tar", tarOf(t, epoch, "a", "b"), tarOf(t, epoch, "a"), unexplained("member")},
		"packed content":       {"x.gz", gz("a", 0, ""), gz("b", 0, ""), unexplained("unpacked")},
		"boot code":            {"vmlinuz", bzImage(text, gz(text, 0, "")), flip(bzImage(text, gz(text, 0, "")), 1030), unexplained("boot code")},
		"checksum of bzImage":  {"vmlinuz", bzImage(text, gz(text, 0, "")), flip(bzImage(text, gz(text, 0, "")), -1), unexplained("checksum")},
		"no gzip after all":    {"x.gz", "\x1f\x8b\x08 not so", "\x1f\x8b\x08 not no", unexplained("content")},
	}
}

// explained and unexplained return what must be found.
func explained(lines ...string) []string { return append([]string{"explained"}, lines...) }
func unexplained(what string) []string   { return []string{"unexplained", "?: " + what + " 1"} }

func TestPlantedInFiles(t *testing.T) {
	for name, test := range contents(t) {
		t.Run(name, func(t *testing.T) {
			path := "/opt/" + test.name
			a := kernel(rpmtest.File{Path: path, Content: test.a, Mtime: epoch})
			b := kernel(rpmtest.File{Path: path, Content: test.b, Mtime: epoch})
			if diff := cmp.Diff(test.want, outcome(t, a, b)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHostsNameInFiles checks that the build host of a package is found in its
// files.
func TestHostsNameInFiles(t *testing.T) {
	a := kernel(rpmtest.File{Path: "/opt/x", Content: "made on f00ba4.", Mtime: epoch})
	b := kernel(rpmtest.File{Path: "/opt/x", Content: "made on c0ffee77.", Mtime: epoch})
	with(&a, rpm.StringValue(rpm.TagBuildHost, "f00ba4"))
	with(&b, rpm.StringValue(rpm.TagBuildHost, "c0ffee77"))
	if diff := cmp.Diff(explained("host: content 1", "host: header tag BUILDHOST 1"), outcome(t, a, b)); diff != "" {
		t.Error(diff)
	}
}

func TestClassOfGzipFile(t *testing.T) {
	twin := func(stamp int64, date string) rpmtest.Package {
		p := kernel(rpmtest.File{Path: "/opt/x.gz", Content: gz("x", stamp, ""), Mtime: epoch})
		with(&p, rpm.StringsValue(rpm.TagClassDict, "directory", "ASCII text", "gzip compressed data, last modified: "+date))
		with(&p, rpm.Int32Value(rpm.TagFileClass, 0, 1, 1, 2))
		return p
	}
	got := outcome(t, twin(epoch, "Mon Jan  6 09:20:00 2014"), twin(epoch+60, "Mon Jan  6 09:21:00 2014"))
	if diff := cmp.Diff(explained("gzip: gzip stamp 1", "gzip: header tag CLASSDICT 1"), got); diff != "" {
		t.Error(diff)
	}
}

func TestChecksumBesideAFile(t *testing.T) {
	sum := func(c string) string { return strings.Repeat(c, 64) + "  /boot/vmlinuz\n" }
	twin := func(content, sum string) rpmtest.Package {
		return kernel(rpmtest.File{Path: "/boot/.vmlinuz.hmac", Content: sum, Mtime: epoch}, rpmtest.File{Path: "/boot/vmlinuz", Content: content, Mtime: epoch})
	}
	if diff := cmp.Diff(explained("clock: content 1"), outcome(t, twin("at 2014-01-09.", sum("a")), twin("at 2014-01-10.", sum("b")))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(unexplained("content"), outcome(t, twin("same", sum("a")), twin("same", sum("b")))); diff != "" {
		t.Error(diff)
	}
}

func TestELF(t *testing.T) {
	build := func(lines ...string) string { return assemble(t, lines...) }
	section := func(name, bytes string) string { return ".section " + name + `,"a"` + "\n" + bytes }
	code := ".text\n.globl f\nf: movl $60, %eax\nret"
	id := func(b string) string {
		return section(".note.gnu.build-id", ".long 4, 20, 3\n.asciz \"GNU\"\n.fill 20, 1, "+b)
	}
	tests := map[string]struct {
		a, b string
		want []string
	}{
		"date in data": {build(code, section(".rodata", `.asciz "Jan  9 2014"`)), build(code, section(".rodata", `.asciz "Jan 10 2014"`)),
			explained("clock: section .rodata 1")},
		"compiler": {build(code, section(".comment", `.asciz "GCC: (GNU) 4.4.7"`)), build(code, section(".comment", `.asciz "GCC: (GNU) 4.4.8"`)),
			explained("toolchain: section .comment 1")},
		"path of the source": {build(code, section(".debug_str", `.asciz "/a/b/BUILD/k"`)), build(code, section(".debug_str", `.asciz "/a/c/BUILD/k"`)),
			explained("path: section .debug_str 1")},
		"build-id alone": {build(code, id("1")), build(code, id("2")), explained("build-id: section .note.gnu.build-id 1")},
		"build-id of other data": {build(code, id("1"), section(".rodata", `.asciz "Jan  9 2014"`)), build(code, id("2"), section(".rodata", `.asciz "Jan 10 2014"`)),
			explained("clock: section .rodata 1")},
		"signature in EL6's section": {build(code, section(".note.module.sig", ".ascii \"one\"")), build(code, section(".note.module.sig", ".ascii \"seven\"")),
			explained("module-key: section .note.module.sig 1")},
		"appended signature": {build(code) + appendedSignature("one"), build(code) + appendedSignature("two!"),
			explained("module-key: appended module signature 1")},
		"code":              {build(code), build(strings.Replace(code, "$60", "$5", 1)), unexplained("section .text")},
		"data":              {build(code, section(".rodata", ".long 60")), build(code, section(".rodata", ".long 5")), unexplained("section .rodata")},
		"a section more":    {build(code), build(code, section(".extra", ".long 1")), unexplained("section .extra")},
		"what was appended": {build(code) + "one", build(code) + "two", unexplained("appended")},
		"code beside a signature": {build(code, section("module.sig", ".ascii \"one\"")), build(strings.Replace(code, "$60", "$5", 1), section("module.sig", ".ascii \"two\"")),
			[]string{"unexplained", "?: section .text 1", "module-key: section module.sig 1"}},
		"flags": {build(code, ".section .x,\"a\"\n.long 1"), build(code, ".section .x,\"aw\"\n.long 1"), []string{"unexplained", "?: section .x: attributes 1", "?: headers and padding 1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := kernel(rpmtest.File{Path: "/lib/m.ko", Content: test.a, Mtime: epoch})
			b := kernel(rpmtest.File{Path: "/lib/m.ko", Content: test.b, Mtime: epoch})
			if diff := cmp.Diff(test.want, outcome(t, a, b)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBuildIDLinks checks that links below .build-id follow from the files that
// they lead to.
func TestBuildIDLinks(t *testing.T) {
	id := func(b string) string {
		return assemble(t, ".section .note.gnu.build-id,\"a\"\n.long 4, 20, 3\n.asciz \"GNU\"\n.fill 20, 1, 0x"+b)
	}
	twin := func(b string) rpmtest.Package {
		dir := "/usr/lib/.build-id/" + b
		p := kernel(rpmtest.File{Path: dir, Mode: 0o40755, Mtime: epoch}, rpmtest.File{Path: dir + "/" + strings.Repeat(b, 19), Linkname: "../../../../lib/m.ko", Mtime: epoch},
			rpmtest.File{Path: "/lib/m.ko", Content: id(b), Mtime: epoch})
		with(&p, rpm.StringsValue(rpm.TagProvideName, "kernel("+strings.Repeat(b, 20)+")"))
		return p
	}
	got := outcome(t, twin("aa"), twin("bb"))
	if diff := cmp.Diff(explained("build-id: section .note.gnu.build-id 1"), got); diff != "" {
		t.Error(diff)
	}
}

// assemble returns the object file that as(1) makes of lines.
func assemble(t testing.TB, lines ...string) string {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "x.o")
	cmd := exec.Command(hosttest.Program(t, "as"), "-o", out, "-")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("as: %v\n%s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// appendedSignature returns a module's signature as kbuild appends it.
func appendedSignature(sig string) string {
	info := make([]byte, 12)
	binary.BigEndian.PutUint32(info[8:], uint32(len(sig)))
	return sig + string(info) + signatureLine
}

// packed returns content as a compressor writes it.
func packed(t testing.TB, how, content string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch how {
	case "xz":
		w, err = xz.WriterConfig{DictCap: 1 << 16}.NewWriter(&b)
	case "lzma":
		w, err = lzma.WriterConfig{DictCap: 1 << 16}.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	case "lz4":
		w = lz4.NewWriter(&b)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// ar returns an archive of ar(1) with one member.
func ar(mtime, uid, content string) string {
	return "!<arch>\n" + fmt.Sprintf("%-16s%-12s%-6s%-6s%-8s%-10d`\n", "a.o/", mtime, uid, "0", "100644", len(content)) + content + strings.Repeat("\n", len(content)&1)
}

// newc returns a "newc" cpio archive with one member.
func newc(inode, mtime, device int, content string) string {
	var b strings.Builder
	entry := func(name, content string, inode int) {
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", inode, 0o100644, 0, 0, 1, mtime, len(content), 0, device, 0, 0, len(name)+1, 0)
		b.WriteString(name + "\x00")
		b.Write(make([]byte, -b.Len()&3))
		b.WriteString(content)
		b.Write(make([]byte, -b.Len()&3))
	}
	entry("init", content, inode)
	entry("TRAILER!!!", "", 0)
	return b.String()
}

// tarOf returns a tar archive of files that hold their own names.
func tarOf(t testing.TB, mtime int64, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Format: tar.FormatUSTAR, Name: name, Mode: 0o644, Size: 1, ModTime: time.Unix(mtime, 0)}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(name))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// zipOf returns a zip archive with one member.
func zipOf(t testing.TB, mtime int64, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateHeader(&zip.FileHeader{Name: "x", Method: zip.Deflate, Modified: time.Unix(mtime, 0).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	f.Write([]byte(content))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// seconds4 returns a time as four bytes, little endian.
func seconds4(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }

// openPGPKey returns a DSA key as gpg 1 exports it: the key and a user ID.
func openPGPKey(t testing.TB) string {
	t.Helper()
	body := append([]byte{4}, 0x52, 0xcf, 0, 0, 17)
	for range 4 { // p, q, g, y
		n := number1001(t)
		body = binary.BigEndian.AppendUint16(body, uint16(n.BitLen()))
		body = append(body, n.Bytes()...)
	}
	key := binary.BigEndian.AppendUint16([]byte{0x99}, uint16(len(body)))
	key = append(key, body...)
	return string(append(key, "\xb4\x04demo"...))
}

// number1001 returns a random number of 1001 bits.
func number1001(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 1000))
	if err != nil {
		t.Fatal(err)
	}
	return n.SetBit(n, 1000, 1)
}

// inC returns a key as a list of bytes in C.
func inC(key string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "/* The public key of the modules' signatures: %d bytes of OpenPGP. */\nstatic const unsigned char key[] = {\n", len(key))
	for i := range len(key) {
		fmt.Fprintf(&b, "0x%02x,", key[i])
		if i%16 == 15 {
			b.WriteString("\n")
		}
	}
	return b.String() + "\n};\n"
}

// bin2c returns a key as the kernel's bin2c writes it.
func bin2c(key string) string {
	var b strings.Builder
	b.WriteString("const char key[] =\n\t\"")
	for i := range len(key) {
		fmt.Fprintf(&b, `\x%02x`, key[i])
		if i%16 == 15 {
			b.WriteString("\"\n\t\"")
		}
	}
	return b.String() + fmt.Sprintf("\"\n;\nconst int key_size = %d;\n", len(key))
}

// bzImage returns an image with one setup sector, 64 bytes of boot code, a packed
// kernel and a checksum of all.
func bzImage(banner, payload string) string {
	b := make([]byte, 1024)
	b[0x1f1], b[0x1fe], b[0x1ff] = 1, 0x55, 0xaa
	copy(b[0x202:], "HdrS\x0f\x02")
	binary.LittleEndian.PutUint32(b[0x248:], 64)
	binary.LittleEndian.PutUint32(b[0x24c:], uint32(len(payload)))
	copy(b[0x290:], banner)
	b = append(b, bytes.Repeat([]byte{0x90}, 64)...)
	b = append(b, payload...)
	var sum uint32
	for _, c := range b {
		sum = sum*31 + uint32(c)
	}
	return string(binary.LittleEndian.AppendUint32(b, sum))
}

// flip changes one bit of the byte at an offset, which counts from the end if it is
// negative.
func flip(s string, at int) string {
	b := []byte(s)
	b[(at+len(b))%len(b)] ^= 1
	return string(b)
}
