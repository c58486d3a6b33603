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

// client has a time limit for the header of a response, and none for the body: an
// SRPM is 100 MB and more. The stall limit is for servers that stop sending.
var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 20 * time.Second}).DialContext,
	TLSHandshakeTimeout:   20 * time.Second,
	ResponseHeaderTimeout: 60 * time.Second,
	ForceAttemptHTTP2:     true,
}}

// stallTimeout is how long a server may send nothing before the try fails.
const stallTimeout = 60 * time.Second

// get requests from a URL once what a part lacks. What it receives stays in the
// part, also after an error. It returns nil if it received all that was announced.
func (s *Store) get(ctx context.Context, from string, p *part, progress Progress) error {
	if p.size > p.max { // an earlier run took more
		if err := p.reset(); err != nil {
			return err
		}
	}
	if p.complete() {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	p.setHeaders(req.Header, from)
	resp, err := client.Do(req)
	if err != nil {
		return withoutURL(ctx, err)
	}
	defer resp.Body.Close()
	if err := p.accept(resp, from); err != nil || p.complete() {
		return err
	}
	watch := time.AfterFunc(s.stall, func() { cancel(fmt.Errorf("the server sent nothing for %v", s.stall)) })
	defer watch.Stop()
	body := &counter{r: resp.Body, done: p.size, total: p.note.Total, report: progress, alive: func() { watch.Reset(s.stall) }}
	_, err = io.Copy(p, p.limited(body))
	return p.finish(ctx, err)
}

// withoutURL returns an error of the network without the URL, because the caller
// names it.
func withoutURL(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if named := (*url.Error)(nil); errors.As(err, &named) {
		return named.Err
	}
	return err
}

// counter reports the progress of a reader.
type counter struct {
	r           io.Reader
	done, total int64
	report      Progress
	alive       func()
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	c.alive()
	if c.report != nil {
		c.report(c.done, c.total)
	}
	return n, err
}
