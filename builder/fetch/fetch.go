package fetch

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Judge looks at a whole file and says what is wrong with it.
type Judge func(io.Reader) error

// Progress is told the bytes that came and the bytes expected (0: not known).
type Progress func(done, total int64)

// Input is what is asked for: exactly one of URL and File is set. A digest or
// a Judge has to vouch for it.
type Input struct {
	URL, File string
	SHA256    string
	Judge     Judge
}

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

// Fetch gives the input, checked: from where it lies, from the store, or from
// the network. It errs when nothing vouches for the input.
func (s *Store) Fetch(ctx context.Context, in Input, progress Progress) (File, error) {
	if in.SHA256 == "" && in.Judge == nil {
		return File{}, fmt.Errorf("fetching %s%s: neither a sha256 nor a signature vouches for it", in.URL, in.File)
	}
	if in.File != "" {
		f, err := Check(in.File, in.SHA256, in.Judge)
		if err != nil {
			return File{}, fmt.Errorf("checking %s: %w", filepath.Base(in.File), err)
		}
		return f, nil
	}
	if f, ok := s.known(in); ok {
		return f, nil
	}
	f, err := s.download(ctx, in, progress)
	if err != nil {
		return File{}, fmt.Errorf("fetching %s: %w", in.URL, err)
	}
	return f, s.Remember("url", in.URL, f.SHA256)
}

// known finds the input in the store, by its digest or by the digest its URL
// had when a signature vouched for it; that is asked again.
func (s *Store) known(in Input) (File, bool) {
	digest := in.SHA256
	if digest == "" {
		digest = s.Recall("url", in.URL)
	}
	if digest == "" {
		return File{}, false
	}
	f, ok := s.Held(digest)
	if !ok || in.Judge == nil {
		return f, ok
	}
	if _, err := Check(f.Path, digest, in.Judge); err != nil {
		return File{}, false
	}
	return f, true
}

func (s *Store) download(ctx context.Context, in Input, progress Progress) (File, error) {
	tmp, err := s.newFile()
	if err != nil {
		return File{}, err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if err := get(ctx, in.URL, tmp, progress); err != nil {
		return File{}, err
	}
	f, err := Check(tmp.Name(), in.SHA256, in.Judge)
	if err != nil {
		return File{}, err
	}
	if err := os.Rename(tmp.Name(), s.path(f.SHA256)); err != nil {
		return File{}, err
	}
	f.Path = s.path(f.SHA256)
	return f, nil
}

func get(ctx context.Context, url string, w io.Writer, progress Progress) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", resp.Status)
	}
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("the server sent nothing for %v", stall)) })
	defer watch.Stop()
	body := &counter{r: resp.Body, total: max(resp.ContentLength, 0), tell: progress, alive: func() { watch.Reset(stall) }}
	n, err := io.Copy(w, body)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return fmt.Errorf("broken off after %d of %d bytes: %w", n, resp.ContentLength, err)
	}
	return nil
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
