package source

import (
	"bufio"
	"bytes"
	"context"
	"io"

	"github.com/cosnicolaou/pbzip2"
	"github.com/klauspost/compress/gzip"
	"github.com/ulikunitz/xz"
)

// decompress returns a reader of the unpacked content of r, which its first bytes
// show to be bzip2 (unpacked on all processors), xz, gzip, or not packed. Close may
// be called at any time, and frees everything. r is not used afterwards.
func decompress(ctx context.Context, r io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	magic, err := buffered.Peek(6)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte("BZh")):
		return newBunzip2(ctx, buffered), nil
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		unxz, err := xz.NewReader(buffered)
		return io.NopCloser(unxz), err
	case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		gunzip, err := gzip.NewReader(buffered)
		return gunzip, err
	}
	return io.NopCloser(buffered), nil
}

// bunzip2 adds Close to pbzip2's reader. That library ends its goroutines only when
// its context has ended and Read is called again.
type bunzip2 struct {
	io.Reader
	cancel context.CancelFunc
}

func newBunzip2(ctx context.Context, r io.Reader) *bunzip2 {
	ctx, cancel := context.WithCancel(ctx)
	return &bunzip2{Reader: pbzip2.NewReader(ctx, r), cancel: cancel}
}

// Close returns when all goroutines have ended.
func (b *bunzip2) Close() error {
	b.cancel()
	rest := make([]byte, 1<<16)
	for {
		if _, err := b.Read(rest); err != nil {
			return nil
		}
	}
}
