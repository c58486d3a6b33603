package unpack

import (
	"bufio"
	"compress/bzip2"
	"context"
	"errors"
	"io"

	"github.com/cosnicolaou/pbzip2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/therootcompany/xz"
	"github.com/ulikunitz/xz/lzma"
)

// maxWindow is the largest window or dictionary that a stream may ask for, in
// bytes: what "zstd --ultra -22" uses, and twice what "xz -9" does. The windows
// of gzip (32 KiB), bzip2 (900 kB) and lz4 (8 MiB) are bounded by their formats.
const maxWindow = 128 << 20

// Two libraries read the formats of xz, because neither reads all of them.
// therootcompany/xz reads xz with the filters that kbuild uses for a bzImage
// (x86 BCJ) and refuses a large dictionary; ulikunitz/xz reads no filters, and
// its limit for xz is only a minimum. Of the two, only ulikunitz/xz reads lzma,
// where its limit holds; it also writes both formats for the tests.

func openGzip(r *bufio.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }

func openBzip2(r *bufio.Reader) (io.ReadCloser, error) {
	return io.NopCloser(bzip2.NewReader(r)), nil
}

func openXZ(r *bufio.Reader) (io.ReadCloser, error) {
	x, err := xz.NewReader(r, maxWindow)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(x), nil
}

func openLZMA(r *bufio.Reader) (io.ReadCloser, error) {
	l, err := lzma.ReaderConfig{DictCap: maxWindow}.NewReader(r)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(l), nil
}

func openZstd(r *bufio.Reader) (io.ReadCloser, error) { return openZstdOn(1, r) }

func openZstdOn(processors int, r *bufio.Reader) (io.ReadCloser, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(processors), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

func openLZ4(r *bufio.Reader) (io.ReadCloser, error) { return io.NopCloser(lz4.NewReader(r)), nil }

// isWindow reports whether a decompressor refused the size of a window. In a
// zstd frame of a single segment, the size of the content is that of the window.
func isWindow(err error) bool {
	return errors.Is(err, xz.ErrMemlimit) || errors.As(err, new(*lzma.ErrDictSize)) ||
		errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded)
}

// bzip2Parallel is pbzip2's reader with a Close: that library ends its
// goroutines only when its context has ended and Read is called again.
type bzip2Parallel struct {
	io.Reader
	cancel context.CancelFunc
}

func openBzip2Parallel(ctx context.Context, r io.Reader) *bzip2Parallel {
	ctx, cancel := context.WithCancel(ctx)
	return &bzip2Parallel{Reader: pbzip2.NewReader(ctx, r), cancel: cancel}
}

// Close returns when every goroutine has ended.
func (b *bzip2Parallel) Close() error {
	b.cancel()
	rest := make([]byte, 1<<16)
	for {
		if _, err := b.Read(rest); err != nil {
			return nil
		}
	}
}
