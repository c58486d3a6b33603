package oci

import (
	"context"
	"errors"
	"io"
	"time"
)

// stall is the time without a byte after which a transfer is ended and tried again.
var stall = time.Minute

var errStalled = errors.New("no byte passed for a minute")

// watch ends a transfer in which no byte passes.
type watch struct {
	timer  *time.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// startWatch returns a watch, whose context ends if nothing was read through it for the
// time stall. The caller stops it.
func startWatch(parent context.Context) *watch {
	ctx, cancel := context.WithCancelCause(parent)
	return &watch{time.AfterFunc(stall, func() { cancel(errStalled) }), ctx, cancel}
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// cause returns why the transfer failed: errStalled, or err.
func (w *watch) cause(err error) error {
	if err != nil && errors.Is(context.Cause(w.ctx), errStalled) {
		return errStalled
	}
	return err
}

// reader returns a reader of r whose reads are watched. The watch ends at the end of r:
// after that the registry works, and answerWithin is the limit for it.
func (w *watch) reader(r io.Reader) io.Reader { return watchedReader{r, w} }

type watchedReader struct {
	r io.Reader
	w *watch
}

func (r watchedReader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	if err != nil {
		r.w.timer.Stop()
	} else {
		r.w.timer.Reset(stall)
	}
	return n, err
}
