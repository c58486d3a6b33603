package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"namibuild/builder/event"
)

// watch calls do and shows the events that it tells on standard output. The error is the
// one that the user should see.
func watch[T any](ctx context.Context, a *app, do func(tell event.Sink) (T, error)) (T, error) {
	d := newDisplay(os.Stdout, a.json)
	defer d.Close()
	v, err := do(a.tell(d))
	return v, a.cause(ctx, err)
}

// perform does the work of a verb: it calls do under watch and prints the result, which it
// also returns.
func perform[T any](ctx context.Context, a *app, do func(tell event.Sink) (T, error), text func(T) error) (T, error) {
	v, err := watch(ctx, a, do)
	if err != nil {
		return v, err
	}
	return v, a.print("result", v, func() error { return text(v) })
}

// print prints what a verb found: with --json as an object of that event, which has the
// fields of v, otherwise by text.
func (a *app) print(event string, v any, text func() error) error {
	if a.json {
		a.emit(event, v)
		return nil
	}
	return text()
}

// emit prints the fields of v, a struct or map with at least one field, as a JSON object of
// that event on one line.
func (a *app) emit(event string, v any) {
	b := mustJSON(v)
	writeLine(os.Stdout, time.Now(), append(fmt.Appendf(nil, `{"event":%q,`, event), b[1:]...))
}

// mustJSON returns v as JSON. A value that has no JSON form becomes an object that says so.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		b, _ = json.Marshal(map[string]string{"event": "error", "text": err.Error()})
	}
	return b
}

// tell returns a sink that gives events to the display, and notes to the log.
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
