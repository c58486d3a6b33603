package main

import (
	"context"
	"os"

	"namibuild/builder/event"
)

// watch does what tells events while it runs, and shows them. The error is the
// one that the user should see.
func watch[T any](ctx context.Context, a *app, do func(tell event.Sink) (T, error)) (T, error) {
	d := newDisplay(os.Stdout, a.json)
	defer d.Close()
	v, err := do(a.tell(d))
	return v, a.cause(ctx, err)
}

// emit prints a result as one line of JSON.
func (a *app) emit(v any) { newDisplay(os.Stdout, true).emit(v) }

// tell gives events to the display, and notes to the log.
func (a *app) tell(d *display) event.Sink {
	return func(e event.Event) {
		switch log := a.log.WithField("step", e.Step); e.Kind {
		case event.Note:
			log.Info(e.Text)
		case event.Output:
			log.Debug(e.Text)
		case event.Begin, event.End:
			log.Debug(string(e.Kind) + ": " + e.Text)
		}
		if e.Kind != event.Note || a.json {
			d.Event(e)
		}
	}
}
