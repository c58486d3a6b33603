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

	"golang.org/x/term"

	"namibuild/builder"
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

// step is what is known of the step that runs.
type step struct {
	name        builder.Step
	text, phase string
	output      string // the last line that the step's program printed
	started     time.Time
	done, total int64
	unit        string
	// measured from: where the first progress of this unit stood, for the rate
	firstAt   time.Time
	firstDone int64
}

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
func (d *display) Event(e builder.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.style == jsonLines {
		if e.Kind != builder.Progress || d.now().Sub(d.quiet) >= jsonEvery {
			d.quiet = d.now()
			d.emit(e)
		}
		return
	}
	switch e.Kind {
	case builder.Begin:
		d.cur = &step{name: e.Step, text: e.Text, started: d.now()}
		d.quiet = d.now()
		if d.style == plain {
			fmt.Fprintf(d.out, "  %-10s%s\n", e.Step, e.Text)
		}
	case builder.Phase:
		d.phase(e.Text)
	case builder.Output:
		if d.cur != nil && e.Text != "" {
			d.cur.output = e.Text
		}
	case builder.Progress:
		d.progress(e)
	case builder.End:
		if d.cur != nil {
			d.line(tick(d.style), d.cur, e.Text)
		}
		d.cur = nil
	case builder.Warning:
		d.above("warning: " + e.Text)
	}
	d.draw()
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

func (d *display) progress(e builder.Event) {
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
		fmt.Fprintf(d.out, "%s %-10s%s (%s)\n", mark, s.name, text, took)
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

// draw shows the step that runs, on a terminal.
func (d *display) draw() {
	if d.style != live || d.cur == nil {
		return
	}
	d.frame++
	spin := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")[d.frame%10]
	s, now := d.cur, d.now()
	took := short(now.Sub(s.started))
	room := d.width() - 14 - len(took)
	text := fit(s.progress(now), room)
	pad := strings.Repeat(" ", max(1, room-utf8.RuneCountInString(text)+1))
	fmt.Fprintf(d.out, "\r\033[K%c %-10s%s%s%s", spin, s.name, text, pad, took)
}

// progress says how far a step is: its phase, a bar, figures and an estimate.
func (s *step) progress(now time.Time) string {
	if strings.HasPrefix(s.phase, "%") && s.phase != "%build" {
		return s.phase // rpmbuild compiles in %build alone
	}
	var parts []string
	if s.output != "" && s.total == 0 {
		parts = append(parts, fit(s.phase, 24), s.output)
	} else if s.phase != "" {
		parts = append(parts, s.phase)
	} else if s.total == 0 && s.done == 0 {
		parts = append(parts, s.text)
	}
	if s.total > 0 {
		parts = append(parts, bar(s.done, s.total))
	}
	switch {
	case s.unit == builder.Bytes && s.total > 0:
		parts = append(parts, size(s.done)+" of "+size(s.total))
	case s.unit == builder.Bytes:
		parts = append(parts, size(s.done))
	case s.unit == builder.Objects && s.total > 0:
		parts = append(parts, fmt.Sprintf("%d of about %d objects", s.done, s.total))
	case s.unit == builder.Objects:
		parts = append(parts, fmt.Sprintf("%d objects", s.done))
	}
	if left, ok := s.left(now); ok {
		parts = append(parts, "about "+short(left)+" left")
	}
	return strings.Join(parts, "  ")
}

// left estimates the rest from the rate since the first figure came; not
// before the rate means anything.
func (s *step) left(now time.Time) (time.Duration, bool) {
	ran, made := now.Sub(s.firstAt), s.done-s.firstDone
	if s.total <= s.done || made <= 0 || ran < 5*time.Second {
		return 0, false
	}
	return time.Duration(float64(ran) / float64(made) * float64(s.total-s.done)).Round(time.Second), true
}

func bar(done, total int64) string {
	const cells = 20
	n := int(min(done, total) * cells / total)
	return strings.Repeat("█", n) + strings.Repeat("░", cells-n)
}

func tick(s style) string {
	if s == live {
		return "✓"
	}
	return "+"
}

func cross(s style) string {
	if s == live {
		return "✗"
	}
	return "!"
}

// fit cuts a text to n columns.
func fit(s string, n int) string {
	if n < 1 || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// size writes bytes the way people read them (powers of 1000, as disks and
// networks count).
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}

// short writes a duration with no more figures than it deserves.
func short(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	d = d.Round(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%ds", int(d.Seconds()))
	}
	if d < time.Hour {
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}
