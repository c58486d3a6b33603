package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"namibuild/builder/event"
)

// step is the state of the current step.
type step struct {
	name        event.Step
	text, phase string
	output      string // the last line that the step's program printed
	started     time.Time
	done, total int64
	unit        string
	// firstAt and firstDone are the first progress in this unit, from which the rate is
	// measured.
	firstAt   time.Time
	firstDone int64
}

// progress returns how far a step is: its phase, a bar, figures and an estimate.
func (s *step) progress(now time.Time) string {
	if strings.HasPrefix(s.phase, "%") && s.phase != "%build" {
		return s.phase // only %build compiles
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
	case s.unit == event.Bytes && s.total > 0:
		parts = append(parts, size(s.done)+" of "+size(s.total))
	case s.unit == event.Bytes:
		parts = append(parts, size(s.done))
	case s.unit == event.Objects && s.total > 0:
		parts = append(parts, fmt.Sprintf("%d of about %d objects", s.done, s.total))
	case s.unit == event.Seconds:
		parts = append(parts, fmt.Sprintf("second %d of %d by the guest's clock", s.done, s.total))
	case s.unit == event.Objects:
		parts = append(parts, fmt.Sprintf("%d objects", s.done))
	}
	if left, ok := s.left(now); ok {
		parts = append(parts, "about "+short(left)+" left")
	}
	return strings.Join(parts, "  ")
}

// left estimates the time to the end from the rate since the first figure. There is no
// estimate in the first five seconds, when the rate means little.
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

// fit cuts a text to n columns. An n below 1 cuts nothing.
func fit(s string, n int) string {
	if n < 1 || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// size writes a number of bytes in units of powers of 1000, as disks and networks count.
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

// short writes a duration with the figures that matter at its length.
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
