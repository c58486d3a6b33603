package nested

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"math/bits"
)

const (
	// windowSize is how much of a stream is searched at once, and how far a
	// stream may be gone into before it gave its first byte and be gone back on.
	windowSize = 1 << 18
	// margin is more than any header below takes.
	margin = 32
)

// The two forms of lz4; the kernel's is the legacy one.
const (
	lz4Frame  = "\x04\x22\x4d\x18"
	lz4Legacy = "\x02\x21\x4c\x18"
)

// magics begin compressed data. Where few bytes are fixed, is looks at the rest
// of the header: it gets margin bytes, fewer at the end of the stream.
var magics = []struct {
	text []byte
	is   func(header []byte) bool
}{
	{[]byte("\x1f\x8b\x08"), isGzip},
	{[]byte("\xfd7zXZ\x00"), always},
	{[]byte("\x28\xb5\x2f\xfd"), always},
	{[]byte("BZh"), isBzip2},
	{[]byte("\x5d\x00\x00"), isLZMA},
	{[]byte(lz4Frame), always},
	{[]byte(lz4Legacy), isLZ4Legacy},
}

func always([]byte) bool { return true }

// isGzip: no reserved flag, a level and a system that exist (RFC 1952, 2.3).
func isGzip(h []byte) bool {
	return len(h) > 10 && h[3] < 0x20 && (h[8] == 0 || h[8] == 2 || h[8] == 4) && (h[9] <= 13 || h[9] == 255)
}

// isBzip2: a size of blocks, and the first block or the end.
func isBzip2(h []byte) bool {
	return len(h) > 10 && '1' <= h[3] && h[3] <= '9' && (string(h[4:10]) == "1AY&SY" || string(h[4:10]) == "\x17rE8P\x90")
}

// isLZMA: a dictionary of 2^n or 2^n + 2^(n-1) bytes, a size that is not known
// or below 256 GiB, and the zero that the range coder begins with (what xz -Flzma
// takes for lzma, xz's lzma_decoder and alone_decoder.c).
func isLZMA(h []byte) bool {
	if len(h) < 14 || h[13] != 0 {
		return false
	}
	dictionary, size := binary.LittleEndian.Uint32(h[1:]), binary.LittleEndian.Uint64(h[5:])
	top := dictionary & -dictionary
	power := bits.OnesCount32(dictionary) == 1 || dictionary == 3*top
	return power && dictionary >= 1<<12 && (size == 1<<64-1 || size < 1<<38)
}

// isLZ4Legacy: a block of the size that 8 MiB may have, whose first sequence has
// literals and then goes back on these (lz4's block format).
func isLZ4Legacy(h []byte) bool {
	const most = 8<<20 + 8<<20/255 + 16
	if len(h) < margin {
		return len(h) > 8
	}
	if size := binary.LittleEndian.Uint32(h[4:]); size == 0 || size > most {
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

// next goes to where compressed data begins, and gives how many bytes it skipped
// to get there; without any, to the end of the stream.
func next(b *bufio.Reader) (skipped int64, found bool) {
	for {
		data, err := b.Peek(b.Size())
		last := err != nil
		to := len(data)
		if !last {
			to -= margin // what begins there is seen in the next window
		}
		at, found := first(data, to)
		n, _ := b.Discard(at)
		skipped += int64(n)
		if found || last {
			return skipped, found
		}
	}
}

// first is where compressed data begins in data before to; to itself when it
// does not.
func first(data []byte, to int) (int, bool) {
	found := to
	for _, m := range magics {
		for at := 0; at < found; at++ {
			i := bytes.Index(data[at:min(found+len(m.text)-1, len(data))], m.text)
			if i < 0 {
				break
			}
			if at += i; m.is(data[at:min(at+margin, len(data))]) {
				found = at
			}
		}
	}
	return found, found < to
}
