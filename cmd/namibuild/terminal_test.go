package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"namibuild/builder/event"
)

// clock is a clock that only the test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time       { return c.t }
func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }
func newClock() *clock                { return &clock{time.Date(2014, 1, 20, 12, 0, 0, 0, time.UTC)} }
func (c *clock) to(s style) (*display, *bytes.Buffer) {
	var b bytes.Buffer
	return &display{out: &b, now: c.now, style: s, width: func() int { return 80 }}, &b
}

// play gives the events of a build to a display.
func play(c *clock, d *display) {
	for _, e := range []struct {
		after time.Duration
		event.Event
	}{
		{0, event.Event{Kind: event.Begin, Step: event.Source, Text: "kernel.src.rpm"}},
		{time.Second, event.Event{Kind: event.Progress, Step: event.Source, Done: 53e6, Total: 106e6, Unit: event.Bytes}},
		{time.Second, event.Event{Kind: event.End, Step: event.Source, Text: "kernel.src.rpm, sha256 0123"}},
		{0, event.Event{Kind: event.Begin, Step: event.Rpmbuild, Text: "log: out/build.log"}},
		{time.Second, event.Event{Kind: event.Phase, Step: event.Rpmbuild, Text: "%build"}},
		{0, event.Event{Kind: event.Progress, Step: event.Rpmbuild, Done: 100, Total: 800, Unit: event.Objects}},
		{40 * time.Second, event.Event{Kind: event.Progress, Step: event.Rpmbuild, Done: 300, Total: 800, Unit: event.Objects}},
		{0, event.Event{Kind: event.Warning, Text: "older than stock"}},
	} {
		c.pass(e.after)
		d.Event(e.Event)
		d.draw() // as redraw does
	}
	c.pass(19 * time.Second)
	d.Close()
}

func TestPlain(t *testing.T) {
	c := newClock()
	d, b := c.to(plain)
	play(c, d)
	want := `  source    kernel.src.rpm
+ source    kernel.src.rpm, sha256 0123 (2.0s)
  rpmbuild  log: out/build.log
  rpmbuild  %build
  rpmbuild  %build  ███████░░░░░░░░░░░░░  300 of about 800 objects  about 1m40s left
warning: older than stock
! rpmbuild  %build (1m00s)
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b, want)
	}
}

// TestLive shows that on a terminal every line is redrawn in place, within the width, and
// that only finished steps and warnings stay.
func TestLive(t *testing.T) {
	c := newClock()
	d, b := c.to(live)
	play(c, d)
	var stays []string
	for _, line := range strings.Split(b.String(), "\n") {
		shown := strings.Split(line, "\r\033[K")
		for _, s := range shown {
			if n := len([]rune(s)); n > 80 {
				t.Errorf("%d columns: %q", n, s)
			}
		}
		stays = append(stays, strings.Join(strings.Fields(shown[len(shown)-1]), " "))
	}
	want := []string{"✓ source kernel.src.rpm, sha256 0123 2.0s", "warning: older than stock", "✗ rpmbuild %build 1m00s", ""}
	if strings.Join(stays, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q\nwant %q", stays, want)
	}
	if !strings.Contains(b.String(), "53.0 MB of 106.0 MB") {
		t.Errorf("no bytes in %q", b)
	}
}

// TestRedrawEnds shows that a display can be closed while it is redrawn, and that nothing is
// drawn after that.
func TestRedrawEnds(t *testing.T) {
	c := newClock()
	for range 2000 {
		d, b := c.to(live)
		d.redraw(time.Microsecond)
		d.Event(event.Event{Kind: event.Begin, Step: event.Source, Text: "kernel.src.rpm"})
		d.Close()
		d.Close()
		if !strings.HasSuffix(b.String(), "\n") {
			t.Fatalf("the last line was not ended: %q", b)
		}
	}
}

func TestJSONLines(t *testing.T) {
	c := newClock()
	d, b := c.to(jsonLines)
	d.Event(event.Event{Kind: event.Begin, Step: event.Upload, Text: "patched sources"})
	for range 10 {
		c.pass(100 * time.Millisecond)
		d.Event(event.Event{Kind: event.Progress, Step: event.Upload, Done: 1, Total: 2, Unit: event.Bytes})
	}
	want := `{"time":"2014-01-20T12:00:00Z","event":"begin","step":"upload","text":"patched sources"}
{"time":"2014-01-20T12:00:00.3Z","event":"progress","step":"upload","done":1,"total":2,"unit":"bytes"}
{"time":"2014-01-20T12:00:00.6Z","event":"progress","step":"upload","done":1,"total":2,"unit":"bytes"}
{"time":"2014-01-20T12:00:00.9Z","event":"progress","step":"upload","done":1,"total":2,"unit":"bytes"}
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b, want)
	}
}

func TestBytesFlag(t *testing.T) {
	for in, want := range map[string]int64{"1": 1, "512M": 512 << 20, "6G": 6 << 30, "6g": 6 << 30, "2T": 2 << 40, "3K": 3 << 10} {
		var b bytesFlag
		if err := b.Set(in); err != nil || int64(b) != want {
			t.Errorf("%s: %d, %v", in, b, err)
		}
	}
	for _, in := range []string{"", "G", "0", "-1G", "1.5G", "9999999999T", "6GB", "x"} {
		var b bytesFlag
		if err := b.Set(in); err == nil {
			t.Errorf("%q was taken as %d", in, b)
		}
	}
}
