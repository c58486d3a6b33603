package engine

import (
	"context"
	"errors"
	"io"
	"sync"
)

// contextReader is a reader that ends with its context and remembers the error
// of the reader below, because the HTTP client reports every error of a request's
// body as a broken connection.
type contextReader struct {
	ctx context.Context
	r   io.Reader

	mu  sync.Mutex
	err error
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
	}
	return n, err
}

// failure returns the error of the reader below, or nil.
func (c *contextReader) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
