package source

import (
	"context"
	"io"
	"sync/atomic"
)

// step is how many bytes pass between two reports of progress.
const step = 1 << 20

// meter counts what is read of the payload's files. Decompressors read in
// goroutines of their own; reports are made where output is taken, so that the
// caller's function runs in the caller's goroutine.
type meter struct {
	done   atomic.Int64
	told   int64
	total  int64
	report func(done, total int64)
}

// count is r, counted.
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

// tell reports when enough has come since the last time, or when all is read.
func (m *meter) tell() {
	done := m.done.Load()
	if m.report == nil || done == m.told || done-m.told < step && done < m.total {
		return
	}
	m.told = done
	m.report(done, m.total)
}

// watch is r that tells the meter's progress and ends with the context.
func (m *meter) watch(ctx context.Context, r io.Reader) io.Reader {
	return watchedReader{contextReader{ctx, r}, m}
}

type watchedReader struct {
	r contextReader
	m *meter
}

func (w watchedReader) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	w.m.tell()
	return n, err
}

// contextReader fails as soon as its context does.
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
