package buildlog

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// These begin the lines with which rpmbuild.sh reports to us on its standard
// output; they are not part of the log.
const (
	objectsMarker  = "@namibuild objects "
	packagesMarker = "@namibuild packages "
)

// Writer passes the output of a container on and tells what it says. The caller closes it.
type Writer struct {
	// W gets the log.
	W io.Writer
	// Phase is told the phase that rpmbuild enters (%prep, %build, …), Objects how many
	// object files were made, Packages the names of the packages that the spec makes.
	Phase    func(string)
	Objects  func(int64)
	Packages func([]string)
	line     []byte // the unfinished last line
	err      error
}

// Write takes a part of the output.
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

// Close writes the last line when it has no end.
func (l *Writer) Close() error {
	l.flush()
	return l.err
}

// hold keeps an unfinished line, within a bound.
func (l *Writer) hold(p []byte) {
	l.line = append(l.line, p...)
	if len(l.line) > 1<<20 {
		l.flush()
	}
}

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
