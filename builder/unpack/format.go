package unpack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
)

// Format is a compression format.
type Format string

// The formats that this package opens.
const (
	Gzip  Format = "gzip"
	Bzip2 Format = "bzip2"
	XZ    Format = "xz"
	LZMA  Format = "lzma" // the format of lzma-utils, which has no magic number of its own
	Zstd  Format = "zstd"
	LZ4   Format = "lz4" // its frames, and the legacy form that kbuild uses
)

// HeaderSize is how many bytes of a stream Detect and GzipTime look at most.
const HeaderSize = 32

// longestMagic is the length of the longest magic number below.
const longestMagic = 6

// format is one row of the table of formats.
type format struct {
	name  Format
	magic []byte
	// plausible checks the rest of the header where the magic number alone is
	// too short to find compressed data among other bytes. It gets HeaderSize
	// bytes, fewer at the end of the stream.
	plausible func(header []byte) bool
	open      func(*bufio.Reader) (io.ReadCloser, error)
}

// formats are all formats by their magic numbers.
var formats = []format{
	{Gzip, []byte("\x1f\x8b\x08"), isGzip, openGzip},
	{XZ, []byte("\xfd7zXZ\x00"), always, openXZ},
	{Zstd, []byte("\x28\xb5\x2f\xfd"), always, openZstd},
	{Bzip2, []byte("BZh"), isBzip2, openBzip2},
	{LZMA, []byte("\x5d\x00\x00"), isLZMA, openLZMA},
	{LZ4, []byte("\x04\x22\x4d\x18"), always, openLZ4},
	{LZ4, []byte("\x02\x21\x4c\x18"), isLZ4Legacy, openLZ4},
}

func (f format) begins(data []byte) bool { return bytes.HasPrefix(data, f.magic) }

// Detect returns the format of the data that begins with head, or "" if head is
// no complete header of a known format. Head should hold HeaderSize bytes, or
// all the data if there is less. Detect is stricter than Open, which looks at
// the magic number alone and leaves the rest to the decompressor.
func Detect(head []byte) Format {
	for _, f := range formats {
		if f.begins(head) && f.plausible(head) {
			return f.name
		}
	}
	return ""
}

// GzipTime returns the time in the gzip header at the start of head, in seconds
// since 1970; 0 means that the header has none. It reports false if head does
// not begin with a gzip header.
func GzipTime(head []byte) (seconds int64, ok bool) {
	if Detect(head) != Gzip {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint32(head[4:])), true
}

// Index returns the offset of the first header of format f in data, or -1. A
// header that the end of data cuts off does not count.
func Index(data []byte, f Format) int {
	found := len(data)
	for _, row := range formats {
		if row.name == f {
			found = row.index(data, found)
		}
	}
	if found == len(data) {
		return -1
	}
	return found
}

// index returns where the first header in data begins, if that is before end,
// and end otherwise.
func (f format) index(data []byte, end int) int {
	for at := 0; at < end; at++ {
		i := bytes.Index(data[at:min(end+len(f.magic)-1, len(data))], f.magic)
		if i < 0 {
			break
		}
		if at += i; f.plausible(data[at:min(at+HeaderSize, len(data))]) {
			return at
		}
	}
	return end
}

func always([]byte) bool { return true }

// isGzip checks that no reserved flag is set and that the level and the
// operating system exist (RFC 1952, 2.3).
func isGzip(h []byte) bool {
	return len(h) > 10 && h[3] < 0x20 && (h[8] == 0 || h[8] == 2 || h[8] == 4) && (h[9] <= 13 || h[9] == 255)
}

// isBzip2 checks the block size, and that the first block or the end follows.
func isBzip2(h []byte) bool {
	return len(h) > 10 && '1' <= h[3] && h[3] <= '9' && (string(h[4:10]) == "1AY&SY" || string(h[4:10]) == "\x17rE8P\x90")
}

// isLZMA checks for a dictionary of 2^n or 2^n + 2^(n-1) bytes, a size that is
// unknown or below 256 GiB, and the zero that the range coder begins with. These
// are the rules of "xz -Flzma" (alone_decoder.c in xz).
func isLZMA(h []byte) bool {
	if len(h) < 14 || h[13] != 0 {
		return false
	}
	dictionary, size := binary.LittleEndian.Uint32(h[1:]), binary.LittleEndian.Uint64(h[5:])
	lowest := dictionary & -dictionary
	oneOrTwoBits := bits.OnesCount32(dictionary) == 1 || dictionary == 3*lowest
	return oneOrTwoBits && dictionary >= 1<<12 && (size == 1<<64-1 || size < 1<<38)
}

// isLZ4Legacy checks for a block no larger than 8 MiB of input can make, whose
// first sequence has literals and then refers back to these (lz4's block
// format).
func isLZ4Legacy(h []byte) bool {
	const largest = 8<<20 + 8<<20/255 + 16
	if len(h) < HeaderSize {
		return len(h) > 8
	}
	if size := binary.LittleEndian.Uint32(h[4:]); size == 0 || size > largest {
		return false
	}
	literals := int(h[8] >> 4)
	if literals == 0 {
		return false
	}
	if literals == 15 || literals == int(binary.LittleEndian.Uint32(h[4:]))-1 { // more than the header shows, or all
		return true
	}
	back := int(binary.LittleEndian.Uint16(h[9+literals:]))
	return 1 <= back && back <= literals
}
