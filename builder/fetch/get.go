package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// client waits for an answer, never for the whole body: an SRPM is 100 MB and
// more. A mirror that stops sending is noticed by the stall limit.
var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 20 * time.Second}).DialContext,
	TLSHandshakeTimeout:   20 * time.Second,
	ResponseHeaderTimeout: 60 * time.Second,
	ForceAttemptHTTP2:     true,
}}

// stall is how long a server may send nothing before it is given up.
const stall = 60 * time.Second

// get asks a URL once for what a part lacks. What came stays in the part,
// whatever the error; a nil error says that all came that was announced.
func (s *Store) get(ctx context.Context, from string, p *part, progress Progress) error {
	if p.whole() {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	p.ask(req.Header, from)
	resp, err := client.Do(req)
	if err != nil {
		return bare(ctx, err)
	}
	defer resp.Body.Close()
	if err := p.begin(resp, from); err != nil || p.whole() {
		return err
	}
	watch := time.AfterFunc(s.stall, func() { cancel(fmt.Errorf("the server sent nothing for %v", s.stall)) })
	defer watch.Stop()
	body := &counter{r: resp.Body, done: p.size, total: p.note.Total, tell: progress, alive: func() { watch.Reset(s.stall) }}
	_, err = io.Copy(p, p.bounded(body))
	return p.end(ctx, err)
}

// bare is an error of the network without the URL, which the caller names.
func bare(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if named := (*url.Error)(nil); errors.As(err, &named) {
		return named.Err
	}
	return err
}

// counter tells how far a reader has come.
type counter struct {
	r           io.Reader
	done, total int64
	tell        Progress
	alive       func()
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	c.alive()
	if c.tell != nil {
		c.tell(c.done, c.total)
	}
	return n, err
}
