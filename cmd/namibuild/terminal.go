package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"namibuild/builder/event"

	"golang.org/x/term"
)

// display shows events: redrawn in place on a terminal, as plain lines elsewhere, as
// JSON for programs.
type display struct {
	mu    sync.Mutex
	out   io.Writer
	now   func() time.Time
	style style
	width func() int
	cur   *step
	frame int
	done  chan struct{} // ends redraw; nil where nothing is redrawn
	quiet time.Time     // when the last event or line of progress was printed
}

type style int

const (
	plain style = iota
	live
	jsonLines
)

// plainEvery is how often the plain style prints the progress of a step.
const plainEvery = 30 * time.Second

// plainWidth is the most columns of a text in the plain style.
const plainWidth = 100

// jsonEvery is the least time between two events of progress in JSON.
const jsonEvery = 250 * time.Millisecond

// redrawEvery is how often the line of the current step is redrawn.
const redrawEvery = 100 * time.Millisecond

// styleOf returns the style that suits a file.
func styleOf(out *os.File, asJSON bool) style {
	switch {
	case asJSON:
		return jsonLines
	case term.IsTerminal(int(out.Fd())) && os.Getenv("TERM") != "dumb":
		return live
	}
	return plain
}

// newDisplay makes a display in the style that suits the file. The caller closes it.
func newDisplay(out *os.File, asJSON bool) *display {
	d := &display{out: out, now: time.Now, width: func() int { return 80 }, style: styleOf(out, asJSON)}
	if d.style == live {
		d.width = func() int {
			if w, _, err := term.GetSize(int(out.Fd())); err == nil && w > 20 {
				return w
			}
			return 80
		}
		d.redraw(redrawEvery)
	}
	return d
}

// redraw redraws the line of the current step while nothing happens, so that its clock runs.
// Close ends it.
func (d *display) redraw(every time.Duration) {
	done := make(chan struct{})
	d.done = done
	go func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				d.mu.Lock()
				d.draw()
				d.mu.Unlock()
			case <-done:
				return
			}
		}
	}()
}

// Close ends the redrawing and shows a step that did not end as failed. It may be called
// twice.
func (d *display) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done != nil {
		close(d.done)
		d.done = nil
	}
	if d.cur != nil {
		d.line(cross(d.style), d.cur, cmp.Or(d.cur.phase, d.cur.text))
		d.cur = nil
	}
}

// Event shows one event.
func (d *display) Event(e event.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.style == jsonLines {
		if e.Kind != event.Progress || d.now().Sub(d.quiet) >= jsonEvery {
			d.quiet = d.now()
			writeLine(d.out, d.now(), mustJSON(e))
		}
		return
	}
	switch e.Kind {
	case event.Begin:
		d.cur = &step{name: e.Step, text: e.Text, started: d.now()}
		d.quiet = d.now()
		if d.style == plain {
			fmt.Fprintf(d.out, "  %-10s%s\n", e.Step, e.Text)
		}
	case event.Phase:
		d.phase(e.Text)
	case event.Output:
		if d.cur != nil && e.Text != "" {
			d.cur.output = e.Text
		}
	case event.Progress:
		d.progress(e)
	case event.End:
		if d.cur != nil {
			d.line(tick(d.style), d.cur, e.Text)
		}
		d.cur = nil
	case event.Warning:
		d.above("warning: " + e.Text)
	}
	if e.Kind != event.Progress { // redraw shows it
		d.draw()
	}
}

// writeLine writes a JSON object on a line of its own, with the time as its first field.
func writeLine(w io.Writer, now time.Time, object []byte) {
	fmt.Fprintf(w, "{\"time\":%q,%s\n", now.UTC().Format(time.RFC3339Nano), object[1:])
}

func (d *display) phase(text string) {
	if d.cur == nil || d.cur.phase == text {
		return
	}
	d.cur.phase, d.cur.output = text, ""
	if d.style == plain {
		fmt.Fprintf(d.out, "  %-10s%s\n", d.cur.name, fit(text, plainWidth))
		d.quiet = d.now()
	}
}

func (d *display) progress(e event.Event) {
	s := d.cur
	if s == nil {
		return
	}
	if s.unit != e.Unit || s.firstAt.IsZero() || e.Done < s.done {
		s.firstAt, s.firstDone = d.now(), e.Done
	}
	s.done, s.total, s.unit = e.Done, e.Total, e.Unit
	if d.style == plain && d.now().Sub(d.quiet) >= plainEvery {
		d.quiet = d.now()
		fmt.Fprintf(d.out, "  %-10s%s\n", s.name, s.progress(d.now()))
	}
}

// line prints the last line of a step.
func (d *display) line(mark string, s *step, text string) {
	took := short(d.now().Sub(s.started))
	if d.style == plain {
		fmt.Fprintf(d.out, "%s %-10s%s (%s)\n", mark, s.name, fit(text, plainWidth), took)
		return
	}
	d.above(fmt.Sprintf("%s %-10s%s", mark, s.name, fit(text, d.width()-22)) +
		strings.Repeat(" ", max(1, d.width()-13-utf8.RuneCountInString(fit(text, d.width()-22))-utf8.RuneCountInString(took))) + took)
}

// above prints a line that stays, above the one that is redrawn.
func (d *display) above(text string) {
	if d.style == live {
		fmt.Fprint(d.out, "\r\033[K")
	}
	fmt.Fprintln(d.out, text)
}

// note prints a line that stays while a step runs.
func (d *display) note(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.style == plain {
		text = "  " + text
	}
	d.above(text)
	d.draw()
}

// draw redraws the line of the current step, on a terminal.
func (d *display) draw() {
	if d.style != live || d.cur == nil {
		return
	}
	d.frame++
	spin := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")[d.frame%10]
	s, now := d.cur, d.now()
	took := short(now.Sub(s.started))
	room := d.width() - 16 - len(took) // leaves two columns for an echoed ^C
	text := fit(s.progress(now), room)
	pad := strings.Repeat(" ", max(1, room-utf8.RuneCountInString(text)+1))
	fmt.Fprintf(d.out, "\r\033[K%c %-10s%s%s%s", spin, s.name, text, pad, took)
}
