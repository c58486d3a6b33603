package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	// tries is how often a URL is tried, with pauses of 1, 2 and 4 seconds, or
	// longer ones if the server asks for them.
	tries      = 4
	firstPause = time.Second
	// longestPause is the longest pause that a server may ask for.
	longestPause = time.Minute
	// minProgress is how many bytes a try must get further than all before it to
	// start the count of tries again.
	minProgress = 1 << 20
)

// fill downloads what a part lacks, in several tries if that can help.
func (s *Store) fill(ctx context.Context, p *part, url string, in Input, progress Progress) error {
	best := p.size
	for try := 1; ; try++ {
		err := s.get(ctx, url, p, progress)
		if err == nil {
			return nil
		}
		if p.size >= best+minProgress {
			best, try = p.size, 1
		}
		pause, again := retryPause(err, try)
		switch {
		case isFinal(ctx, err):
			return err
		case !again && try > 1:
			return fmt.Errorf("%w, in %d tries", err, try)
		case !again:
			return err
		}
		in.warn("%s: %v; again in %v", url, err, pause)
		if err := s.pause(ctx, pause); err != nil {
			return err
		}
	}
}

// isFinal reports whether neither another try nor another server can help.
func isFinal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.As(err, new(diskError))
}

// retryPause reports whether to try a URL again, and after which pause.
func retryPause(err error, try int) (time.Duration, bool) {
	pause := firstPause << (try - 1)
	var (
		status  *StatusError
		name    *net.DNSError
		foreign *tls.CertificateVerificationError
	)
	switch {
	case try >= tries:
		return 0, false
	case errors.As(err, &status):
		pause = max(pause, status.RetryAfter)
		return pause, status.temporary() && pause <= longestPause
	case errors.As(err, &name) && name.IsNotFound, errors.As(err, &foreign), errors.As(err, new(*TooLargeError)):
		return 0, false
	}
	return pause, true
}

// temporary reports whether the same request may succeed later.
func (e *StatusError) temporary() bool {
	return e.Code >= 500 || e.Code == http.StatusTooManyRequests || e.Code == http.StatusRequestTimeout
}

// retryAfter returns the pause that a server asks for, in seconds or as a date,
// which is compared with the server's own clock.
func retryAfter(h http.Header) time.Duration {
	asked := h.Get("Retry-After")
	if n, err := strconv.Atoi(asked); err == nil {
		return time.Duration(min(max(n, 0), 1e9)) * time.Second
	}
	until, err := http.ParseTime(asked)
	now, nowErr := http.ParseTime(h.Get("Date"))
	if err != nil || nowErr != nil {
		return 0
	}
	return max(0, until.Sub(now))
}

// sleep pauses for d, or until the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
