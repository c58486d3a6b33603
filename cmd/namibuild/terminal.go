package main

import (
	"cmp"
	"encoding/json"
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

// display shows the events of a build: redrawn in place on a terminal, as
// plain lines elsewhere, as JSON for programs.
type display struct {
	mu     sync.Mutex
	out    io.Writer
	now    func() time.Time
	style  style
	width  func() int
	cur    *step
	frame  int
	ticker *time.Ticker
	done   chan struct{}
	quiet  time.Time // when the last event or line of progress was printed
}

type style int

const (
	plain style = iota
	live
	jsonLines
)

// plainEvery is how often a plain log tells of progress within a step.
const plainEvery = 30 * time.Second

// plainWidth bounds what a plain log quotes of an instruction.
const plainWidth = 100

// jsonEvery is the least time between two events of progress in JSON.
const jsonEvery = 250 * time.Millisecond

// newDisplay chooses the style that suits the file it writes to.
func newDisplay(out *os.File, asJSON bool) *display {
	d := &display{out: out, now: time.Now, width: func() int { return 80 }}
	switch {
	case asJSON:
		d.style = jsonLines
	case term.IsTerminal(int(out.Fd())) && os.Getenv("TERM") != "dumb":
		d.style = live
		d.width = func() int {
			if w, _, err := term.GetSize(int(out.Fd())); err == nil && w > 20 {
				return w
			}
			return 80
		}
		d.tick()
	}
	return d
}

// tick redraws the live line while nothing happens, so that its clock runs.
func (d *display) tick() {
	d.ticker, d.done = time.NewTicker(100*time.Millisecond), make(chan struct{})
	go func() {
		for {
			select {
			case <-d.ticker.C:
				d.mu.Lock()
				d.draw()
				d.mu.Unlock()
			case <-d.done:
				return
			}
		}
	}()
}

// Close ends the redrawing; a step that did not end is shown as failed.
func (d *display) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ticker != nil {
		d.ticker.Stop()
		close(d.done)
		d.ticker = nil
	}
	if d.cur != nil {
		d.line(cross(d.style), d.cur, cmp.Or(d.cur.phase, d.cur.text))
		d.cur = nil
	}
}

// Event takes one event in and shows it.
func (d *display) Event(e event.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.style == jsonLines {
		if e.Kind != event.Progress || d.now().Sub(d.quiet) >= jsonEvery {
			d.quiet = d.now()
			d.emit(e)
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
	if e.Kind != event.Progress { // the ticker draws those, often enough
		d.draw()
	}
}

// emit writes an event as one line of JSON, with the time it came.
func (d *display) emit(e any) {
	b, err := json.Marshal(e)
	if err != nil {
		b, _ = json.Marshal(map[string]string{"event": "error", "text": err.Error()})
	}
	stamp := d.now().UTC().Format(time.RFC3339Nano)
	fmt.Fprintf(d.out, "{\"time\":%q,%s\n", stamp, b[1:])
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

// line prints a step's last line.
func (d *display) line(mark string, s *step, text string) {
	took := short(d.now().Sub(s.started))
	if d.style == plain {
		fmt.Fprintf(d.out, "%s %-10s%s (%s)\n", mark, s.name, fit(text, plainWidth), took)
		return
	}
	d.above(fmt.Sprintf("%s %-10s%s", mark, s.name, fit(text, d.width()-22)) +
		strings.Repeat(" ", max(1, d.width()-13-utf8.RuneCountInString(fit(text, d.width()-22))-utf8.RuneCountInString(took))) + took)
}

// above prints a line that stays, over the one that is redrawn.
func (d *display) above(text string) {
	if d.style == live {
		fmt.Fprint(d.out, "\r\033[K")
	}
	fmt.Fprintln(d.out, text)
}

// note prints a line that stays, within a step.
func (d *display) note(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.style == plain {
		text = "  " + text
	}
	d.above(text)
	d.draw()
}

// draw shows the step that runs, on a terminal.
func (d *display) draw() {
	if d.style != live || d.cur == nil {
		return
	}
	d.frame++
	spin := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")[d.frame%10]
	s, now := d.cur, d.now()
	took := short(now.Sub(s.started))
	room := d.width() - 16 - len(took) // two columns stay free for an echoed ^C
	text := fit(s.progress(now), room)
	pad := strings.Repeat(" ", max(1, room-utf8.RuneCountInString(text)+1))
	fmt.Fprintf(d.out, "\r\033[K%c %-10s%s%s%s", spin, s.name, text, pad, took)
}
