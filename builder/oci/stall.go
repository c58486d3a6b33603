package oci

import (
	"context"
	"errors"
	"io"
	"time"
)

// stall is how long a transfer may stand still before it is broken off and
// tried again.
var stall = time.Minute

var errStalled = errors.New("no byte passed for a minute")

// watch breaks a transfer off that stands still.
type watch struct {
	timer  *time.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// startWatch gives a watch whose context ends when nothing was read through it
// for as long as stall. The caller stops it.
func startWatch(parent context.Context) *watch {
	ctx, cancel := context.WithCancelCause(parent)
	return &watch{time.AfterFunc(stall, func() { cancel(errStalled) }), ctx, cancel}
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// cause is why the transfer failed: that it stood still, or err.
func (w *watch) cause(err error) error {
	if err != nil && errors.Is(context.Cause(w.ctx), errStalled) {
		return errStalled
	}
	return err
}

// reader is r, watched. At the end of r the watch ends: what follows is the other
// side's thinking, and that has a limit of its own.
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
