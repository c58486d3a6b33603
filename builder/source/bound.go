package source

import (
	"bufio"
	"context"
	"errors"
	"io"

	"namibuild/builder/unpack"
)

// A tarball may unpack to so many times its size, and half a gibibyte more.
// Kernel trees unpack to ten times their size with the best of compressors, a
// decompression bomb to a thousand times and more.
const (
	mostTimes = 100
	mostMore  = 512 << 20
)

// mostPayload bounds the files of an SRPM together.
const mostPayload = 16 << 30

// decompress reads a tarball of size bytes, compressed or not. The caller closes
// the result, and r itself.
func decompress(ctx context.Context, r io.Reader, size int64) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	plain, err := unpack.OpenParallel(ctx, in, size*mostTimes+mostMore)
	if errors.Is(err, unpack.ErrFormat) {
		return io.NopCloser(in), nil // nothing was taken from it
	}
	return plain, err
}
