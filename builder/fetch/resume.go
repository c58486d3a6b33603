package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// setHeaders requests the bytes after the part, and only those of the same file
// (RFC 9110, 13.1.5). If no validator of this URL is known, only the check of the
// complete file can tell whether it is the same.
func (p *part) setHeaders(h http.Header, url string) {
	h.Set("Accept-Encoding", "identity") // so that offsets count the bytes of the file
	if p.size == 0 {
		return
	}
	h.Set("Range", fmt.Sprintf("bytes=%d-", p.size))
	if p.note.URL == url && p.note.Validator != "" {
		h.Set("If-Range", p.note.Validator)
	}
}

// accept reads the header of a response. Afterwards the part is ready for the
// body, or complete. An error other than a *StatusError says that the response
// does not fit the part, which is then empty.
func (p *part) accept(resp *http.Response, url string) error {
	note := note{URL: url, Validator: validator(resp.Header)}
	switch resp.StatusCode {
	case http.StatusOK:
		note.Total = max(resp.ContentLength, 0)
		if err := p.reset(); err != nil || note.Total > p.max {
			return p.tooLarge(note.Total, err)
		}
		return p.save(note)
	case http.StatusPartialContent:
		from, total, ok := contentRange(resp.Header)
		if !ok || from != p.size || total < from || p.note.Total > 0 && total != p.note.Total {
			return p.mismatch("the server sends another file or another range than requested")
		}
		if total > p.max {
			return p.tooLarge(total, p.reset())
		}
		note.Total = total
		p.mixed = p.mixed || p.size > 0
		return p.save(note)
	case http.StatusRequestedRangeNotSatisfiable:
		var total int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes */%d", &total); err != nil || total != p.size || total == 0 {
			return p.mismatch("the server's file is shorter than the %d bytes that it sent before", p.size)
		}
		note.Total, p.mixed = total, true
		return p.save(note)
	}
	return &StatusError{resp.StatusCode, resp.Status, retryAfter(resp.Header)}
}

// mismatch empties the part and returns the reason as an error.
func (p *part) mismatch(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if failed := p.reset(); failed != nil {
		return failed
	}
	return err
}

// tooLarge returns the error of a file of the size, which is not kept, or the error
// of emptying the part.
func (p *part) tooLarge(size int64, failed error) error {
	if failed != nil {
		return failed
	}
	return &TooLargeError{Size: size, Max: p.max}
}

// limited limits a body to one byte more than announced, or than is taken, so that
// finish notices if there are more.
func (p *part) limited(body io.Reader) io.Reader {
	most := p.max
	if p.note.Total > 0 {
		most = p.note.Total
	}
	return io.LimitReader(body, most-p.size+1)
}

// finish checks at the end of a body whether everything announced has come.
func (p *part) finish(ctx context.Context, err error) error {
	total := p.note.Total
	switch {
	case errors.As(err, new(diskError)):
		return err
	case p.size > p.max:
		return p.tooLarge(0, p.reset())
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case total > 0 && p.size > total:
		return p.mismatch("the server sends more than the announced %d bytes", total)
	case err != nil && total > 0:
		return fmt.Errorf("broken off after %d of %d bytes: %w", p.size, total, err)
	case err != nil:
		return fmt.Errorf("broken off after %d bytes: %w", p.size, err)
	case p.size < total:
		return fmt.Errorf("broken off after %d of %d bytes", p.size, total)
	}
	return nil
}

// validator returns what distinguishes two states of a file: a strong ETag or, if
// there is none, the date. A weak ETag may not be used for ranges.
func validator(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}

// contentRange returns where a partial response begins and how long the file is.
func contentRange(h http.Header) (from, total int64, ok bool) {
	var to int64
	n, err := fmt.Sscanf(h.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total)
	return from, total, err == nil && n == 3 && from >= 0
}
