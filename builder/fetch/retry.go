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

// A URL is tried so many times, with pauses of 1, 2 and 4 seconds or what the
// server asks for, up to the longest. A try that brought a megabyte more than
// any before it starts the count anew.
const (
	tries        = 4
	firstPause   = time.Second
	longestPause = time.Minute
	headway      = 1 << 20
)

// fill brings what a part lacks, in several tries where that can help.
func (s *Store) fill(ctx context.Context, p *part, url string, in Input, progress Progress) error {
	best := p.size
	for try := 1; ; try++ {
		err := s.get(ctx, url, p, progress)
		if err == nil {
			return nil
		}
		if p.size >= best+headway {
			best, try = p.size, 1
		}
		pause, again := after(err, try)
		switch {
		case hopeless(ctx, err):
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

// hopeless: neither another try nor another server helps.
func hopeless(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.As(err, new(diskError))
}

// after says whether a URL is worth another try and how long to wait for it.
func after(err error, try int) (time.Duration, bool) {
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
		return pause, status.passing() && pause <= longestPause
	case errors.As(err, &name) && name.IsNotFound, errors.As(err, &foreign):
		return 0, false
	}
	return pause, true
}

// passing: the same request may be answered otherwise in a while.
func (e *StatusError) passing() bool {
	return e.Code >= 500 || e.Code == http.StatusTooManyRequests || e.Code == http.StatusRequestTimeout
}

// retryAfter reads how long a server asks to be left alone: seconds, or a date,
// which is measured by the server's own clock.
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

// sleep is the pause between two tries; it ends early with the context.
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
