// Package unpack opens compressed streams: on their own, or wherever they lie
// inside another stream.
//
// [Open] opens one stream. It recognizes the format by the first bytes, never by a
// file name. Memory is bounded whatever the stream asks for: a window or
// dictionary of more than 128 MiB is [ErrWindow]. The caller says how many bytes
// may come out; a stream that unpacks to more ends with a [*SizeError].
// [OpenParallel] is Open on several processors, for a kernel's tarball.
//
// [Walk] finds and opens what is compressed inside a stream at any depth: a
// module's .ko.xz, a manual's .gz, the kernel in a bzImage, the configuration and
// the initramfs in that kernel, and what is in those again. It knows no archives
// and no images. Compressed data is recognized by its header at whatever offset
// it begins, so it is found in a tar or cpio archive, an ELF file or a bzImage
// alike, and what those hold uncompressed lies in the stream itself.
//
// The formats are gzip, bzip2, xz, lzma, zstd and lz4. Not opened are lzo and bare
// deflate (zip, compressed ELF sections). No other package of this module holds
// a magic number of a compression format.
package unpack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
)

// NoLimit is the size for Open when the caller bounds what it reads itself.
const NoLimit = math.MaxInt64

// readAhead is how many bytes are read at once from the compressed stream.
const readAhead = 1 << 16

// ErrFormat reports a stream that begins with no known magic number.
var ErrFormat = errors.New("unknown compression format")

// ErrWindow reports a stream that asks for a larger window or dictionary than
// is allowed.
var ErrWindow = fmt.Errorf("window is larger than %d bytes", maxWindow)

// SizeError reports a stream that unpacks to more than Max bytes.
type SizeError struct{ Max int64 }

func (e *SizeError) Error() string {
	return fmt.Sprintf("it unpacks to more than %d bytes: a decompression bomb", e.Max)
}

// Open returns a reader of what r unpacks to, at most maxSize bytes. Several
// streams of one format in a row are read as one; other bytes behind them are
// an error, which the read that reaches the end returns.
//
// Open starts no goroutine. The caller closes the result, and r itself. If the
// error is ErrFormat and r is a *bufio.Reader with a buffer of 64 KiB or more,
// nothing has been taken from r.
func Open(r io.Reader, maxSize int64) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(r, readAhead)
	f, err := formatOf(in)
	if err != nil {
		return nil, err
	}
	plain, err := f.open(in)
	if err != nil {
		return nil, failed(f.name, err)
	}
	return &reader{plain: plain, format: f.name, left: maxSize, max: maxSize, source: in}, nil
}

// OpenParallel is Open for large streams. It reads bzip2 on all processors and
// zstd on two, and reads r in other goroutines, which end when the context does
// or the result is closed; r is not read after Close has returned.
func OpenParallel(ctx context.Context, r io.Reader, maxSize int64) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(r, readAhead)
	f, err := formatOf(in)
	if err != nil {
		return nil, err
	}
	var plain io.ReadCloser
	switch f.name {
	case Bzip2:
		plain = openBzip2Parallel(ctx, in)
	case Zstd:
		plain, err = openZstdOn(2, in)
	default:
		return Open(in, maxSize)
	}
	if err != nil {
		return nil, failed(f.name, err)
	}
	return &reader{plain: plain, format: f.name, left: maxSize, max: maxSize}, nil
}

// formatOf finds the format of the stream that starts at r. It reads nothing
// off it.
func formatOf(r *bufio.Reader) (format, error) {
	start, err := r.Peek(longestMagic)
	if err != nil && !errors.Is(err, io.EOF) {
		return format{}, err
	}
	for _, f := range formats {
		if f.begins(start) {
			return f, nil
		}
	}
	return format{}, fmt.Errorf("%w: the stream starts with %x", ErrFormat, start)
}

// reader bounds what a stream unpacks to and names the format in its errors.
type reader struct {
	plain     io.ReadCloser
	format    Format
	left, max int64
	// source must be at its end when plain is. It is nil where another
	// goroutine reads the source; the decompressor checks the end there.
	source *bufio.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.plain.Read(p)
	if r.left -= int64(n); r.left < 0 {
		r.left = -1
		return 0, failed(r.format, &SizeError{r.max})
	}
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF: // only a bare io.EOF is the end of the stream
		return n, failed(r.format, err)
	case r.source == nil:
		return n, io.EOF
	}
	if _, err := r.source.Peek(1); err == nil {
		return n, failed(r.format, errors.New("other bytes follow the compressed data"))
	} else if !errors.Is(err, io.EOF) {
		return n, err
	}
	return n, io.EOF
}

func (r *reader) Close() error { return r.plain.Close() }

// failed names the format in an error and turns each library's error about a
// large window into ErrWindow.
func failed(f Format, err error) error {
	if isWindow(err) {
		err = ErrWindow
	}
	return fmt.Errorf("decompressing %s: %w", f, err)
}
