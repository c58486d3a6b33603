package builder

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

// logWriter passes the container's output on and tells what it says: the
// phase that rpmbuild is in, the objects made, the packages that the spec names.
type logWriter struct {
	w        io.Writer
	phase    func(string)
	objects  func(int64)
	packages func([]string)
	line     []byte // the unfinished last line
	err      error
}

func (l *logWriter) Write(p []byte) (int, error) {
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
func (l *logWriter) Close() error {
	l.flush()
	return l.err
}

// hold keeps an unfinished line, within a bound.
func (l *logWriter) hold(p []byte) {
	l.line = append(l.line, p...)
	if len(l.line) > 1<<20 {
		l.flush()
	}
}

func (l *logWriter) flush() {
	line := l.line
	l.line = l.line[:0]
	if len(line) == 0 {
		return
	}
	if count, ok := strings.CutPrefix(string(line), objectsMarker); ok {
		var n int64
		if _, err := fmt.Sscan(count, &n); err == nil {
			l.objects(n)
		}
		return
	}
	if names, ok := strings.CutPrefix(string(line), packagesMarker); ok {
		l.packages(strings.Fields(names))
		return
	}
	if m := executing.FindSubmatch(line); m != nil {
		l.phase(string(m[1]))
	}
	if _, err := l.w.Write(line); err != nil {
		l.err = fmt.Errorf("writing the log: %w", err)
	}
}
