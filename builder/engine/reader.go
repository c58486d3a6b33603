package engine

import (
	"context"
	"errors"
	"io"
	"sync"
)

// gate is a reader that stops with its context and remembers its error: the
// HTTP client reports a broken body as a broken connection.
type gate struct {
	ctx context.Context
	r   io.Reader

	mu  sync.Mutex
	err error
}

func (g *gate) Read(p []byte) (int, error) {
	if err := g.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := g.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		g.mu.Lock()
		g.err = err
		g.mu.Unlock()
	}
	return n, err
}

// fault is the error of the reader behind the gate, if it had one.
func (g *gate) fault() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}
