package unpack

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"
)

// zerosBzip2 is a million zeros as bzip2 1.0.8 packs them.
var zerosBzip2 = unhex("425a683931415926535979d39e480007a8c040c00000020008200030cc09aa69952436a9490f17724538509079d39e48")

// callsXZ is calls as "xz --x86 --lzma2=dict=1MiB --check=crc32" packs them, the
// filters that kbuild uses for a bzImage.
var callsXZ = unhex("fd377a585a0000016922de3602010400210110008b216f49e000f0000b5d0061b9fc1a290379517000000000a4ac16b3000123f10100" +
	"0000cdbd858f3e300d8b020000000001595a")

// calls is machine code of x86: a return, and 40 calls to it with a nop after
// each.
func calls() string {
	b := []byte{0xc3}
	for i := range int32(40) {
		b = binary.LittleEndian.AppendUint32(append(b, 0xe8), uint32(-6*(i+1)))
		b = append(b, 0x90)
	}
	return string(b)
}

func unhex(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// openers are the two ways to open a stream.
var openers = map[string]func(context.Context, io.Reader, int64) (io.ReadCloser, error){
	"Open":         func(_ context.Context, r io.Reader, max int64) (io.ReadCloser, error) { return Open(r, max) },
	"OpenParallel": OpenParallel,
}

// readAll reads all that data unpacks to and closes the reader.
func readAll(t *testing.T, how string, data string, max int64) (string, error) {
	t.Helper()
	r, err := openers[how](t.Context(), strings.NewReader(data), max)
	if err != nil {
		return "", err
	}
	plain, err := io.ReadAll(r)
	if cerr := r.Close(); cerr != nil && err == nil {
		t.Errorf("closing: %v", cerr)
	}
	return string(plain), err
}

func TestOpen(t *testing.T) {
	defer goleak.VerifyNone(t)
	text := noise(100_000)
	zeros := strings.Repeat("\x00", 1_000_000)
	for name, test := range map[string]struct {
		format     Format
		data, want string
	}{
		"gzip":         {Gzip, gz(text), text},
		"xz":           {XZ, xzs(text), text},
		"xz, x86":      {XZ, callsXZ, calls()},
		"lzma":         {LZMA, lzmas(text), text},
		"zstd":         {Zstd, zst(text), text},
		"lz4":          {LZ4, lz4s(text, false), text},
		"lz4, legacy":  {LZ4, lz4s(text, true), text},
		"bzip2":        {Bzip2, zerosBzip2, zeros},
		"gzip, twice":  {Gzip, gz(text) + gz("b"), text + "b"},
		"xz, twice":    {XZ, xzs(text) + xzs("b"), text + "b"},
		"zstd, twice":  {Zstd, zst(text) + zst("b"), text + "b"},
		"bzip2, twice": {Bzip2, zerosBzip2 + bzipped, zeros + secret},
	} {
		if got := Detect([]byte(test.data[:min(len(test.data), HeaderSize)])); got != test.format {
			t.Errorf("%s: detected as %q", name, got)
		}
		for how := range openers {
			if got, err := readAll(t, how, test.data, int64(len(test.want))); got != test.want || err != nil {
				t.Errorf("%s of %s: got %d bytes, %v; want %d", how, name, len(got), err, len(test.want))
			}
			if _, err := readAll(t, how, test.data[:len(test.data)/2], NoLimit); err == nil {
				t.Errorf("%s of %s: half of it gives no error", how, name)
			}
			if _, err := readAll(t, how, test.data+"other", NoLimit); err == nil || !strings.HasPrefix(err.Error(), "decompressing "+string(test.format)+": ") {
				t.Errorf("%s of %s with other bytes behind it: got error %v", how, name, err)
			}
		}
	}
}

func TestOpenUnknownFormat(t *testing.T) {
	for data, want := range map[string]string{
		"":            "unknown compression format: the stream starts with ",
		"BZ":          "unknown compression format: the stream starts with 425a",
		"plain text,": "unknown compression format: the stream starts with 706c61696e20",
	} {
		for how, open := range openers {
			in := bufio.NewReaderSize(strings.NewReader(data), 1<<16)
			_, err := open(t.Context(), in, NoLimit)
			if !errors.Is(err, ErrFormat) || err.Error() != want {
				t.Errorf("%s of %q: got error %v, want %s", how, data, err, want)
			}
			if left, err := io.ReadAll(in); string(left) != data || err != nil {
				t.Errorf("%s of %q left %q, %v", how, data, left, err)
			}
		}
	}
	for how, open := range openers {
		if _, err := open(t.Context(), iotest.ErrReader(os.ErrClosed), NoLimit); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s of a reader that fails: got error %v", how, err)
		}
	}
}

// vastXZ is an xz stream whose header asks for the largest dictionary, 4 GiB.
func vastXZ() string {
	b := []byte(xzs("a"))
	header := b[12:][:(int(b[12])+1)*4] // the block header behind the stream header (xz-file-format, 3.1)
	header[4] = 40
	binary.LittleEndian.PutUint32(header[len(header)-4:], crc32.ChecksumIEEE(header[:len(header)-4]))
	return string(b)
}

// vastLZMA is an lzma stream whose header asks for that much memory.
func vastLZMA(size uint32) string {
	b := []byte(lzmas(noise(1000)))
	binary.LittleEndian.PutUint32(b[1:], size)
	return string(b)
}

// allocated returns how many bytes f allocates, freed ones included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestVastWindow opens streams that ask for a large window and have no data for
// it: more than 128 MiB are refused before anything is allocated.
func TestVastWindow(t *testing.T) {
	for name, data := range map[string]string{
		"xz of 4 GiB":                 vastXZ(),
		"lzma of 129 MiB":             vastLZMA(129 << 20),
		"lzma of 2 GiB":               vastLZMA(1 << 31),
		"zstd of 256 MiB":             "\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00",
		"zstd of 3.75 TiB":            "\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00",
		"zstd in one segment of 1TiB": "\x28\xb5\x2f\xfd\xe0\x00\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00",
	} {
		for how := range openers {
			var err error
			used := allocated(func() { _, err = readAll(t, how, data, NoLimit) })
			if !errors.Is(err, ErrWindow) || used > 4<<20 {
				t.Errorf("%s of %s: got error %v after %d bytes of memory", how, name, err, used)
			}
		}
	}
	lz4Block := "\x02\x21\x4c\x18\xff\xff\xff\x7f" + noise(1000)
	if used := allocated(func() { _, err := readAll(t, "Open", lz4Block, NoLimit); t.Log(err) }); used > 24<<20 {
		t.Errorf("an lz4 block of 2 GiB took %d bytes of memory", used)
	}
	bzip2Block := "BZh91AY&SY" + noise(4<<20)
	for how := range openers {
		used := allocated(func() {
			if _, err := readAll(t, how, bzip2Block, NoLimit); err == nil {
				t.Errorf("%s of a bzip2 block without an end gives no error", how)
			}
		})
		if used > 24<<20 {
			t.Errorf("%s of a bzip2 block without an end took %d bytes of memory", how, used)
		}
	}
}

// heapPeak is a Writer that drops what it is given and records how much memory
// is in use.
type heapPeak struct{ n, peak uint64 }

func (h *heapPeak) Write(p []byte) (int, error) {
	const step = 4 << 20
	if h.n%step+uint64(len(p)) >= step {
		h.peak = max(h.peak, heap())
	}
	h.n += uint64(len(p))
	return len(p), nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestBombs opens streams of 64 MiB of zeros. What comes out is bounded, and
// memory does not grow with it.
func TestBombs(t *testing.T) {
	defer goleak.VerifyNone(t)
	const max = 32 << 20
	// legacy lz4 takes two blocks of 8 MiB, the parallel bzip2 some for each processor
	mostMemory := uint64(32<<20 + runtime.GOMAXPROCS(0)*4<<20)
	zeros := strings.Repeat("\x00", 64<<20)
	for name, data := range map[string]string{
		"gzip": gz(zeros), "xz": xzs(zeros), "lzma": lzmas(zeros), "zstd": zst(zeros), "lz4": lz4s(zeros, false),
		"legacy lz4": lz4s(zeros, true), "bzip2": strings.Repeat(zerosBzip2, 64),
	} {
		for how, open := range openers {
			var used heapPeak
			before := heap()
			r, err := open(t.Context(), strings.NewReader(data), max)
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(&used, r)
			r.Close()
			size := (*SizeError)(nil)
			if !errors.As(err, &size) || size.Max != max || n > max {
				t.Errorf("%s of %s: got %d bytes, %v", how, name, n, err)
			}
			if used.peak > before+mostMemory {
				t.Errorf("%s of %s took %d bytes of memory", how, name, used.peak-before)
			}
		}
	}
}

// TestCloseEarly closes a reader before its end: nothing is left that reads.
func TestCloseEarly(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, data := range map[string]string{"zstd": zst(noise(8 << 20)), "bzip2": strings.Repeat(zerosBzip2, 64)} {
		for how, open := range openers {
			r, err := open(t.Context(), strings.NewReader(data), NoLimit)
			if err == nil {
				_, err = io.ReadFull(r, make([]byte, 100))
			}
			if err != nil || r.Close() != nil {
				t.Errorf("%s of %s: %v", how, name, err)
			}
		}
	}
}

func TestIndex(t *testing.T) {
	stamped := []byte(gz("a"))
	binary.LittleEndian.PutUint32(stamped[4:], 1389000000)
	data := []byte("\x1f\x8b\x08 no header, but here is one: ")
	at := len(data)
	data = append(data, stamped...)
	if got := Index(data, Gzip); got != at {
		t.Errorf("Index found a header at %d, want %d", got, at)
	}
	if got, ok := GzipTime(data[at:]); got != 1389000000 || !ok {
		t.Errorf("GzipTime returned %d, %t", got, ok)
	}
	if got := Index(data[:at+8], Gzip); got != -1 {
		t.Errorf("Index found a header at %d that is cut off", got)
	}
	if got := Index(append(data, lz4s(noise(100), true)...), LZ4); got != len(data) {
		t.Errorf("Index found legacy lz4 at %d, want %d", got, len(data))
	}
	if _, ok := GzipTime(data); ok {
		t.Error("GzipTime read a header where there is none")
	}
}

// FuzzOpen opens any bytes: both ways give at most the size asked for, and the
// same bytes where both give no error.
func FuzzOpen(f *testing.F) {
	for _, s := range []string{gz(secret), xzs(secret), lzmas(secret), zst(secret), lz4s(secret, false), lz4s(secret, true), bzipped,
		callsXZ, vastXZ(), zst(secret) + zst(secret), gz(secret) + "other", bzipped + zerosBzip2} {
		f.Add([]byte(s))
	}
	const max = 1 << 18
	f.Fuzz(func(t *testing.T, data []byte) {
		var plain [2][]byte
		var errs [2]error
		for i, how := range []string{"Open", "OpenParallel"} {
			r, err := openers[how](t.Context(), bytes.NewReader(data), max)
			if err == nil {
				plain[i], err = io.ReadAll(r)
				r.Close()
			}
			if errs[i] = err; len(plain[i]) > max {
				t.Errorf("%s gave %d bytes", how, len(plain[i]))
			}
		}
		if errs[0] == nil && errs[1] == nil && !bytes.Equal(plain[0], plain[1]) {
			t.Errorf("got %d bytes one way and %d the other", len(plain[0]), len(plain[1]))
		}
	})
}
