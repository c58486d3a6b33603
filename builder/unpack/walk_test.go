package unpack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

const secret = "the private half"

// bzipped is the secret as bzip2 1.0.8 packs it; no Go library in use writes bzip2.
const bzipped = "BZh91AY&SY\xb1\x1b\xbf\xce\x00\x00\x07\x11\x80\x40\x00\x23\x64\x55\x00\x20\x00\x22\x9b\x40\x3d\x42\x01\xa6\x9a\x17" +
	"\xa0\x16\x4b\x96\xe2\xd3\x85\xdc\x91\x4e\x14\x24\x2c\x46\xef\xf3\x80"

// noise returns n letters without a pattern: they hardly shrink, and no
// compressor stores them unchanged.
func noise(n int) string {
	b := make([]byte, n)
	x := uint64(n)
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = 'a' + byte(x>>40)%26
	}
	return string(b)
}

func pack(data string, open func(io.Writer) (io.WriteCloser, error)) string {
	var b bytes.Buffer
	w, err := open(&b)
	if err == nil {
		_, err = io.WriteString(w, data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.String()
}

func gz(data string) string {
	return pack(data, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

func xzs(data string) string {
	return pack(data, func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: 1 << 20}.NewWriter(w) })
}

func lzmas(data string) string {
	return pack(data, func(w io.Writer) (io.WriteCloser, error) { return lzma.WriterConfig{DictCap: 1 << 20}.NewWriter(w) })
}

func zst(data string) string {
	return pack(data, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) })
}

func lz4s(data string, legacy bool) string {
	return pack(data, func(w io.Writer) (io.WriteCloser, error) {
		z := lz4.NewWriter(w)
		return z, z.Apply(lz4.LegacyOption(legacy))
	})
}

func tarOf(files ...string) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprint(i), Mode: 0o644, Size: int64(len(f))}); err != nil {
			panic(err)
		}
		io.WriteString(w, f)
	}
	w.Close()
	return b.String()
}

// cpio returns a "newc" archive of the files.
func cpio(files ...string) string {
	var b strings.Builder
	for i, f := range append(files, "") {
		name := fmt.Sprintf("file%d", i)
		if i == len(files) {
			name = "TRAILER!!!"
		}
		fmt.Fprintf(&b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00", i, 0o100644, 0, 0, 1, 0, len(f), 0, 0, 0, 0, len(name)+1, 0, name)
		b.WriteString(strings.Repeat("\x00", -b.Len()&3) + f)
		b.WriteString(strings.Repeat("\x00", -b.Len()&3))
	}
	return b.String()
}

// bzImage returns a kernel image: setup sectors, code, the packed kernel and a
// checksum.
func bzImage(payload string) string {
	b := make([]byte, 1024)
	b[0x1f1], b[0x1fe], b[0x1ff] = 1, 0x55, 0xaa
	copy(b[0x202:], "HdrS\x0f\x02")
	code := noise(3000)
	binary.LittleEndian.PutUint32(b[0x248:], uint32(len(code)))
	binary.LittleEndian.PutUint32(b[0x24c:], uint32(len(payload)))
	return string(b) + code + payload + "sum."
}

// vmlinux returns a kernel with what it may hold: the magic numbers that its own
// decompressors look for, a configuration and an initramfs.
func vmlinux(config, initramfs string) string {
	return "\x7fELF" + noise(5000) + "\x1f\x8b\x1f\x9eBZh\xfd7zXZ\x00\x28\xb5\x2f\xfd\x5d\x00\x00\x02\x21" + noise(300000) +
		"IKCFG_ST" + config + "IKCFG_ED" + noise(100) + initramfs + noise(70000)
}

// holders returns which streams of data hold the secret.
func holders(t *testing.T, data io.Reader) (found []string, err error) {
	t.Helper()
	err = Walk(data, "x", func(r io.Reader, where string) error {
		all, err := io.ReadAll(r)
		if bytes.Contains(all, []byte(secret)) {
			found = append(found, where)
		}
		return err
	})
	return found, err
}

func TestWalk(t *testing.T) {
	text := noise(20000) + strings.Repeat(" ", 90000) + secret + noise(5000) // more than any window
	kernel := vmlinux(gz("CONFIG_KEY="+secret), "")
	initramfs := vmlinux(gz("CONFIG_A=y"), xzs(cpio(text)))
	for name, test := range map[string]struct {
		data string
		want []string
	}{
		"nothing":                   {"", nil},
		"raw":                       {text, []string{"x"}},
		"gzip":                      {gz(text), []string{"x, unpacked"}},
		"xz":                        {xzs(text), []string{"x, unpacked"}},
		"lzma":                      {lzmas(text), []string{"x, unpacked"}},
		"zstd":                      {zst(text), []string{"x, unpacked"}},
		"lz4":                       {lz4s(text, false), []string{"x, unpacked", "x"}}, // also in the packed stream: lz4 stores what does not repeat unchanged
		"lz4, legacy":               {lz4s(text, true), []string{"x, unpacked", "x"}},
		"bzImage, lz4 and a size":   {bzImage(lz4s(text, true) + "size"), []string{"x, unpacked from 0xfb8", "x"}},
		"bzip2":                     {bzipped, []string{"x, unpacked"}},
		"tar":                       {tarOf("a", text), []string{"x"}},
		"tar of gzip":               {tarOf("a", gz(text)), []string{"x, unpacked from 0x600"}},
		"tar of lzma":               {tarOf("a", lzmas(text)), []string{"x, unpacked from 0x600"}},
		"tar in gzip":               {gz(tarOf("a", text)), []string{"x, unpacked"}},
		"zstd in tar in xz":         {xzs(tarOf("a", zst(text))), []string{"x, unpacked, unpacked from 0x600"}},
		"cpio in xz":                {xzs(cpio("a", text)), []string{"x, unpacked"}},
		"two archives in a row":     {cpio("microcode") + zst(cpio(text)), []string{"x, unpacked from 0xfc"}},
		"two gzips in a row":        {gz(noise(9000)) + gz(text), []string{"x, unpacked"}},
		"gzip behind xz":            {xzs(noise(9000)) + gz(text), []string{fmt.Sprintf("x, unpacked from %#x", len(xzs(noise(9000))))}},
		"zstd behind a small xz":    {xzs("small") + zst(text), []string{fmt.Sprintf("x, unpacked from %#x", len(xzs("small")))}},
		"bzImage, gzip":             {bzImage(gz(text)), []string{"x, unpacked from 0xfb8"}},
		"bzImage, xz and a size":    {bzImage(xzs(text) + "size"), []string{"x, unpacked from 0xfb8"}},
		"bzImage, lzma":             {bzImage(lzmas(text) + "size"), []string{"x, unpacked from 0xfb8"}},
		"configuration":             {bzImage(gz(kernel)), []string{"x, unpacked from 0xfb8, unpacked from 0x4a78a"}},
		"initramfs":                 {bzImage(lzmas(initramfs)), []string{fmt.Sprintf("x, unpacked from 0xfb8, unpacked from %#x", strings.Index(initramfs, "\xfd7zXZ\x00\x00"))}},
		"in eight":                  {gz(gz(gz(gz(gz(gz(gz(gz(text)))))))), []string{"x" + strings.Repeat(", unpacked", 8)}},
		"damaged, before":           {gz(secret + text)[:5000], []string{"x, unpacked"}},
		"damaged, behind":           {gz(text)[:5000], nil},
		"damaged, and sound behind": {gz(noise(90000))[:50000] + noise(1000) + gz(text), []string{"x, unpacked from 0xc738"}},
		"damaged in sound":          {xzs(gz(noise(1000))[:500] + noise(9000) + secret), []string{"x, unpacked"}},
		"a header and no more":      {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + gz(text), []string{"x, unpacked from 0xa"}},
		"a wrong one over a right":  {"\x28\xb5\x2f\xfd\x60\xff\xff" + gz(text), []string{"x, unpacked from 0x7"}},
		"a wrong lz4 over a right":  {"\x02\x21\x4c\x18\x00\x00\x40\x00" + noise(1000) + gz(text) + noise(5<<20), []string{"x, unpacked from 0x3f0"}},
		"at the border of windows":  {noise(windowSize-5) + gz(text), []string{fmt.Sprintf("x, unpacked from %#x", windowSize-5)}},
		"at a later border":         {noise(windowSize*3-HeaderSize-2) + xzs(text), []string{fmt.Sprintf("x, unpacked from %#x", windowSize*3-HeaderSize-2)}},
		"no secret":                 {bzImage(gz(vmlinux(gz("CONFIG_A=y"), xzs(cpio("a", "b"))))), nil},
	} {
		t.Run(name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{"": strings.NewReader(test.data), "half of it at a time": iotest.HalfReader(strings.NewReader(test.data))} {
				got, err := holders(t, r)
				if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
					t.Errorf("%s %v\n%s", how, err, diff)
				}
			}
		})
	}
}

// TestWalkGivesEveryByte checks that a Visit reads its stream byte for byte,
// whatever else is done with that stream.
func TestWalkGivesEveryByte(t *testing.T) {
	kernel := vmlinux(gz("CONFIG_A=y"), xzs("an initramfs"))
	image := bzImage(gz(kernel))
	got := map[string]string{}
	err := Walk(strings.NewReader(image), "x", func(r io.Reader, where string) error {
		data, err := io.ReadAll(iotest.OneByteReader(r))
		got[strings.ReplaceAll(where, ", unpacked from ", " ")] = string(data)
		return err
	})
	at := strings.Index(kernel, "IKCFG_ST") + 8
	want := map[string]string{"x": image, "x 0xfb8": kernel, fmt.Sprintf("x 0xfb8 %#x", at): "CONFIG_A=y",
		fmt.Sprintf("x 0xfb8 %#x", strings.Index(kernel, xzs("an initramfs"))): "an initramfs"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestLimits(t *testing.T) {
	zeros := strings.Repeat("\x00", 2<<20)
	deep := "deep"
	for range maxDepth + 1 {
		deep = gz(deep)
	}
	for name, test := range map[string]struct{ data, want string }{
		"enough":           {gz(zeros[:1<<20]), ""},
		"a bomb":           {gz(zeros), "opening what is compressed in x, unpacked: more than 1048576 bytes come out in all"},
		"a bomb in a file": {noise(512) + xzs(zeros), "opening what is compressed in x, unpacked from 0x200: more than 1048576 bytes come out in all"},
		"a nested one":     {gz(gz(zeros)), "opening what is compressed in x, unpacked, unpacked: more than 1048576 bytes come out in all"},
		"many small ones":  {tarOf(gz(zeros[:600000]), gz(zeros[:600000])), "opening what is compressed in x, unpacked from 0x800: more than 1048576 bytes come out in all"},
		"depth":            {deep, "opening what is compressed in x" + strings.Repeat(", unpacked", 9) + ": it is more than 8 levels deep in other compressed data"},
		"a vast window": {"\x28\xb5\x2f\xfd\x00\x98\x01\x00\x00",
			"opening what is compressed in x, unpacked: decompressing zstd: window is larger than 134217728 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			var seen int64
			err := walk(strings.NewReader(test.data), "x", func(r io.Reader, _ string) error {
				n, err := io.Copy(io.Discard, r)
				seen += n
				return err
			}, 1<<20)
			if limit := (*LimitError)(nil); test.want == "" && err != nil || test.want != "" && (!errors.As(err, &limit) || err.Error() != test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
			if most := int64(len(test.data) + 1<<20); seen > most {
				t.Errorf("%d bytes were visited, want at most %d", seen, most)
			}
		})
	}
}

// TestErrors checks that errors of the reader and of a Visit end the walk and
// come back unchanged.
func TestErrors(t *testing.T) {
	broken := io.MultiReader(strings.NewReader(gz(noise(1000))[:500]), iotest.ErrReader(os.ErrClosed))
	if _, err := holders(t, broken); err != os.ErrClosed {
		t.Errorf("got error %v from a reader that fails, want %v", err, os.ErrClosed)
	}
	data := noise(300000) + gz(noise(300000)+zst("deep")) + noise(300000)
	for n := 1; n <= 3; n++ {
		calls, mine := 0, fmt.Errorf("visit %d", n)
		err := Walk(strings.NewReader(data), "x", func(r io.Reader, where string) error {
			if calls++; calls == n {
				return mine
			}
			_, err := io.Copy(io.Discard, r)
			return err
		})
		if err != mine || calls != n {
			t.Errorf("got %v after %d visits, want %v", err, calls, mine)
		}
	}
	// a Visit that stops early stops no other one
	calls := 0
	if err := Walk(strings.NewReader(data), "x", func(io.Reader, string) error { calls++; return nil }); err != nil || calls != 3 {
		t.Errorf("got %d visits, error %v; want 3", calls, err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	line := []byte(noise(1 << 16))
	var parts []io.Reader
	for range 1024 { // 64 MiB, and a stream that unpacks to as much
		parts = append(parts, bytes.NewReader(line))
	}
	parts = append(parts, strings.NewReader(zst(strings.Repeat("0123456789abcdef", 4<<20))))
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := Walk(io.MultiReader(parts...), "x", func(r io.Reader, _ string) error {
		_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 1<<16))
		return err
	})
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; err != nil || used > 32<<20 {
		t.Errorf("%d bytes were allocated in all for 128 MiB, %v", used, err)
	}
}

// FuzzWalk walks any stream: the only error is *LimitError, the stream itself is
// visited completely, and what comes out is bounded.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{gz(secret), xzs(secret), lzmas(secret), zst(secret), bzipped, tarOf("a", gz("b")), xzs(cpio("a", secret)),
		bzImage(gz("a kernel" + gz("CONFIG_A=y"))), gz(gz(strings.Repeat("\x00", 1<<20)))} {
		f.Add([]byte(s))
	}
	const limit = 1 << 18
	f.Fuzz(func(t *testing.T, data []byte) {
		var outer bytes.Buffer
		inside := 0
		err := walk(bytes.NewReader(data), "x", func(r io.Reader, where string) error {
			n, err := io.Copy(&outer, r)
			if where != "x" {
				outer.Truncate(outer.Len() - int(n))
				inside += int(n)
			}
			return err
		}, limit)
		if over := (*LimitError)(nil); err != nil && !errors.As(err, &over) {
			t.Fatal(err)
		}
		if inside > limit || err == nil && !bytes.Equal(outer.Bytes(), data) {
			t.Errorf("%d bytes came out, want at most %d; %d of %d bytes were visited", inside, limit, outer.Len(), len(data))
		}
	})
}
