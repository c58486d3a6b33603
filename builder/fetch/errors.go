package fetch

import (
	"fmt"
	"strings"
	"time"
)

// OfflineError reports that something would have to be downloaded in a run that
// must not use the network.
type OfflineError struct{ What string }

func (e *OfflineError) Error() string {
	return e.What + " is not in the store, and this run is offline"
}

// StatusError is a response of a server without the file.
type StatusError struct {
	Code   int
	Status string
	// RetryAfter is the pause that the server asks for, or 0.
	RetryAfter time.Duration
}

func (e *StatusError) Error() string {
	if e.RetryAfter > longestPause {
		return fmt.Sprintf("the server answers %s and wants to be asked again in %v", e.Status, e.RetryAfter)
	}
	return "the server answers " + e.Status
}

// TooLargeError reports a file that is larger than Input.MaxSize.
type TooLargeError struct {
	// Size is the size that the server announced, or 0 if it just sent too much.
	Size int64
	Max  int64
}

func (e *TooLargeError) Error() string {
	if e.Size == 0 {
		return fmt.Sprintf("the server sends more than %d bytes, the most that is taken", e.Max)
	}
	return fmt.Sprintf("the server's file has %d bytes, want at most %d", e.Size, e.Max)
}

// diskError is an error of this host's disk, which no other server and no other
// try can cure.
type diskError struct{ error }

func (e diskError) Unwrap() error { return e.error }

// failure is the error of one URL.
type failure struct {
	url string
	err error
}

// failures are the errors of all URLs in the order of the tries. Their text is one
// line.
type failures []failure

func (f failures) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.url + ": " + one.err.Error()
	}
	return strings.Join(lines, "; ")
}

func (f failures) Unwrap() []error {
	all := make([]error, len(f))
	for i, one := range f {
		all[i] = one.err
	}
	return all
}
