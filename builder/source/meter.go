package source

import (
	"context"
	"io"
	"sync/atomic"
)

// step is how many bytes are read between two reports of progress.
const step = 1 << 20

// meter counts the bytes read of the payload's files. Decompressors read in
// goroutines of their own, so that progress is reported where their output is
// read: there it is the caller's goroutine.
type meter struct {
	done     atomic.Int64
	reported int64
	total    int64
	report   func(done, total int64)
}

// count returns a reader of r that counts what it reads.
func (m *meter) count(r io.Reader) io.Reader { return countingReader{r, m} }

type countingReader struct {
	r io.Reader
	m *meter
}

func (c countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.m.done.Add(int64(n))
	return n, err
}

// reportProgress calls report if enough was read since the last call, or everything.
func (m *meter) reportProgress() {
	done := m.done.Load()
	if m.report == nil || done == m.reported || done-m.reported < step && done < m.total {
		return
	}
	m.reported = done
	m.report(done, m.total)
}

// watch returns a reader of r that reports progress, and that fails when the
// context ends.
func (m *meter) watch(ctx context.Context, r io.Reader) io.Reader {
	return watchedReader{contextReader{ctx, r}, m}
}

type watchedReader struct {
	r contextReader
	m *meter
}

func (w watchedReader) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	w.m.reportProgress()
	return n, err
}

// contextReader is a reader that fails when its context has ended.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
