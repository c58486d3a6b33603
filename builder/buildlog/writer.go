package buildlog

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// The lines in which rpmbuild.sh reports to namibuild begin with these words. They are not part
// of the log.
const (
	objectsMarker  = "@namibuild objects "
	packagesMarker = "@namibuild packages "
)

// Writer receives the output of a build's container, writes the log to W, and calls the functions
// for what the output says. All fields are required. The caller closes it.
type Writer struct {
	// W receives the log.
	W io.Writer
	// Phase is called with the phase that rpmbuild enters (%prep, %build, …).
	Phase func(string)
	// Objects is called with the number of object files that exist.
	Objects func(int64)
	// Packages is called with the names of the packages that the spec makes.
	Packages func([]string)
	line     []byte // the last line, which has no end yet
	err      error
}

// Write takes a part of the output. The error is that of W.
func (l *Writer) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0 && l.err == nil; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			l.hold(rest)
			break
		}
		l.line = append(l.line, rest[:i+1]...)
		rest = rest[i+1:]
		l.flush()
	}
	return len(p), l.err
}

// Close writes the last line if it has no end. It does not close W.
func (l *Writer) Close() error {
	l.flush()
	return l.err
}

// hold keeps a line that has no end yet, up to 1 MiB of it.
func (l *Writer) hold(p []byte) {
	l.line = append(l.line, p...)
	if len(l.line) > 1<<20 {
		l.flush()
	}
}

// flush handles the line that was collected.
func (l *Writer) flush() {
	line := l.line
	l.line = l.line[:0]
	if len(line) == 0 {
		return
	}
	if count, ok := strings.CutPrefix(string(line), objectsMarker); ok {
		var n int64
		if _, err := fmt.Sscan(count, &n); err == nil {
			l.Objects(n)
		}
		return
	}
	if names, ok := strings.CutPrefix(string(line), packagesMarker); ok {
		l.Packages(strings.Fields(names))
		return
	}
	if m := executing.FindSubmatch(line); m != nil {
		l.Phase(string(m[1]))
	}
	if _, err := l.W.Write(line); err != nil {
		l.err = fmt.Errorf("writing the log: %w", err)
	}
}
