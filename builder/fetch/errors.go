package fetch

import (
	"fmt"
	"strings"
	"time"
)

// OfflineError says that something would have to come over the network in a
// run that must not use it.
type OfflineError struct{ What string }

func (e *OfflineError) Error() string {
	return e.What + " is not in the store, and this run is offline"
}

// StatusError is an answer of a server that holds no file.
type StatusError struct {
	Code   int
	Status string
	// RetryAfter is how long the server asks to be left alone; 0: it does not say.
	RetryAfter time.Duration
}

func (e *StatusError) Error() string {
	if e.RetryAfter > longestPause {
		return fmt.Sprintf("the server answers %s and wants to be asked again in %v", e.Status, e.RetryAfter)
	}
	return "the server answers " + e.Status
}

// diskError is a fault of this host: no other server and no other try cures it.
type diskError struct{ error }

func (e diskError) Unwrap() error { return e.error }

// failure is why one URL did not give the input.
type failure struct {
	url string
	err error
}

// failures are all of them in the order of the tries, in one line.
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
