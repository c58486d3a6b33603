package source

import (
	"bufio"
	"context"
	"errors"
	"io"

	"namibuild/builder/unpack"
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

// decompress reads a tarball of size bytes, compressed or not. The caller closes
// the result, and r itself.
func decompress(ctx context.Context, r io.Reader, size int64) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	plain, err := unpack.OpenParallel(ctx, in, size*maxRatio+maxExtra)
	if errors.Is(err, unpack.ErrFormat) {
		return io.NopCloser(in), nil // nothing was taken from it
	}
	return plain, err
}
