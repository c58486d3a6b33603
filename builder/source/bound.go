package source

import (
	"fmt"
	"io"
)

// A tarball may become so many times as large as it is, and half a gibibyte more.
// Kernel trees become ten times as large, with the best of compressors; a
// decompression bomb, a thousand times and more.
const (
	mostTimes = 100
	mostMore  = 512 << 20
)

// mostPayload bounds the files of an SRPM together.
const mostPayload = 16 << 30

// bounded is a reader that fails behind a number of bytes.
type bounded struct {
	r    io.Reader
	left int64
	most int64
}

// unpackedOf bounds what a tarball of that size is unpacked to.
func unpackedOf(size int64, plain io.Reader) io.Reader {
	most := size*mostTimes + mostMore
	return &bounded{plain, most, most}
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("more than %d bytes in it, which no kernel has: a decompression bomb", b.most)
	}
	return n, err
}
