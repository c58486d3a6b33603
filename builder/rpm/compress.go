package rpm

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	xzread "github.com/therootcompany/xz"
	"github.com/ulikunitz/xz/lzma"
)

// maxWindow is the largest dictionary or window that a compressed payload may ask
// for, in bytes. It is what "zstd --ultra -22" uses; "xz -9" uses 64 MiB.
const maxWindow = 128 << 20

// compressors are told apart by the first bytes of their output. rpm's tag may be
// missing, and it is the bytes that must be read.
var compressors = []struct {
	magic string
	open  func(io.Reader) (io.ReadCloser, error)
}{
	{"\x1f\x8b", openGzip},
	{"\xfd7zXZ\x00", openXZ},
	{"\x28\xb5\x2f\xfd", openZstd},
	{"BZh", openBzip2},
	{"\x5d\x00\x00", openLZMA},
	{"07070", func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(r), nil }},
}

// decompress returns a reader of the payload that starts at r. The reader starts no
// goroutine. It returns an error if anything follows the compressed data.
func decompress(r *bufio.Reader) (io.ReadCloser, error) {
	start, err := r.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for _, c := range compressors {
		if !bytes.HasPrefix(start, []byte(c.magic)) {
			continue
		}
		plain, err := c.open(r)
		if err != nil {
			return nil, fmt.Errorf("decompressing: %w", err)
		}
		return &endReader{plain, r}, nil
	}
	return nil, fmt.Errorf("unknown compression: starts with %x", start)
}

// endReader checks that the compressed data ends where its source ends.
type endReader struct {
	io.ReadCloser
	source *bufio.Reader
}

func (e *endReader) Read(b []byte) (int, error) {
	n, err := e.ReadCloser.Read(b)
	if err == nil {
		return n, nil
	}
	if err != io.EOF { // only a bare EOF is the end
		return n, fmt.Errorf("decompressing: %w", err)
	}
	if _, err := e.source.Peek(1); err == nil {
		return n, errors.New("decompressing: bytes follow the compressed data")
	} else if !errors.Is(err, io.EOF) {
		return n, err
	}
	return n, io.EOF
}

func openGzip(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }

func openBzip2(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(bzip2.NewReader(r)), nil }

func openXZ(r io.Reader) (io.ReadCloser, error) {
	x, err := xzread.NewReader(r, maxWindow)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(x), nil
}

func openLZMA(r io.Reader) (io.ReadCloser, error) {
	l, err := lzma.ReaderConfig{DictCap: maxWindow}.NewReader(r)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(l), nil
}

func openZstd(r io.Reader) (io.ReadCloser, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}
