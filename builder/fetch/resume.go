package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// ask puts into a request where the part ends, and that the rest is wanted only
// of the same file (RFC 9110, 13.1.5). Without a validator of this URL the
// whole file's check has to find out.
func (p *part) ask(h http.Header, url string) {
	h.Set("Accept-Encoding", "identity") // the offsets are those of the file
	if p.size == 0 {
		return
	}
	h.Set("Range", fmt.Sprintf("bytes=%d-", p.size))
	if p.note.URL == url && p.note.Validator != "" {
		h.Set("If-Range", p.note.Validator)
	}
}

// begin takes the head of an answer: the part is ready for the body, or whole.
// An error that is not a *StatusError says that the answer does not fit the part,
// which is then empty.
func (p *part) begin(resp *http.Response, url string) error {
	note := note{URL: url, Validator: validator(resp.Header)}
	switch resp.StatusCode {
	case http.StatusOK:
		note.Total = max(resp.ContentLength, 0)
		return errors.Join(p.reset(), p.save(note))
	case http.StatusPartialContent:
		from, total, ok := contentRange(resp.Header)
		if !ok || from != p.size || total < from || p.note.Total > 0 && total != p.note.Total {
			return p.misfit("the server has another file or another part of it than was asked for")
		}
		note.Total = total
		p.mixed = p.mixed || p.size > 0
		return p.save(note)
	case http.StatusRequestedRangeNotSatisfiable:
		var total int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes */%d", &total); err != nil || total != p.size || total == 0 {
			return p.misfit("the server's file ends before the %d bytes that came of it", p.size)
		}
		note.Total, p.mixed = total, true
		return p.save(note)
	}
	return &StatusError{resp.StatusCode, resp.Status, retryAfter(resp.Header)}
}

// misfit empties the part and says why.
func (p *part) misfit(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if failed := p.reset(); failed != nil {
		return failed
	}
	return err
}

// bounded ends a body one byte behind what was announced.
func (p *part) bounded(body io.Reader) io.Reader {
	if p.note.Total == 0 {
		return body
	}
	return io.LimitReader(body, p.note.Total-p.size+1)
}

// end judges the end of a body by what was announced.
func (p *part) end(ctx context.Context, err error) error {
	total := p.note.Total
	switch {
	case errors.As(err, new(diskError)):
		return err
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case total > 0 && p.size > total:
		return p.misfit("the server sends more than the %d bytes that it announced", total)
	case err != nil && total > 0:
		return fmt.Errorf("broken off after %d of %d bytes: %w", p.size, total, err)
	case err != nil:
		return fmt.Errorf("broken off after %d bytes: %w", p.size, err)
	case p.size < total:
		return fmt.Errorf("broken off after %d of %d bytes", p.size, total)
	}
	return nil
}

// validator is what tells two states of a file apart: a strong ETag or, where
// there is none, the date (a weak ETag is not for ranges).
func validator(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}

// contentRange reads where a partial answer begins and how long the file is.
func contentRange(h http.Header) (from, total int64, ok bool) {
	var to int64
	n, err := fmt.Sscanf(h.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total)
	return from, total, err == nil && n == 3 && from >= 0
}
