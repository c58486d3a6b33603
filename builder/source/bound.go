package source

import (
	"fmt"
	"io"
)

// An unpacked tarball may have maxRatio times the packed size, and maxExtra bytes
// more. A kernel tree grows to ten times its size, even with the best compressors;
// a decompression bomb grows to a thousand times and more.
const (
	maxRatio = 100
	maxExtra = 512 << 20
)

// maxPayload is the limit for the size of all files of an SRPM together, in bytes.
const maxPayload = 16 << 30

// bounded is a reader that fails after a number of bytes.
type bounded struct {
	r    io.Reader
	left int64
	most int64
}

// unpackedOf returns a reader of plain, the unpacked content of a tarball of that
// size, that fails if it is too long.
func unpackedOf(size int64, plain io.Reader) io.Reader {
	most := size*maxRatio + maxExtra
	return &bounded{plain, most, most}
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("it has more than %d bytes, and no kernel has so many: a decompression bomb", b.most)
	}
	return n, err
}
