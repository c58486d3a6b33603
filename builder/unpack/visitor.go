package unpack

import (
	"io"
	"iter"
)

// visitor turns a function that reads a stream into a Writer of that stream.
// The function and the writer take turns, so no byte is stored and the two never
// run at the same time.
type visitor struct {
	data   []byte // what was written and not yet read
	closed bool
	err    error // the function's result
	resume func() (struct{}, bool)
	stop   func()
}

// newVisitor returns a visitor that starts read at the first byte written. The
// caller closes it.
func newVisitor(read func(io.Reader) error) *visitor {
	v := &visitor{}
	v.resume, v.stop = iter.Pull(func(yield func(struct{}) bool) { v.err = read(visitedStream{v, yield}) })
	return v
}

// Write returns when p has been read. Once the function has ended, Write drops
// p and returns the function's error.
func (v *visitor) Write(p []byte) (int, error) {
	for v.data = p; len(v.data) > 0; {
		if _, more := v.resume(); !more {
			v.data = nil
		}
	}
	return len(p), v.err
}

// close gives the function the end of the stream and returns its error.
func (v *visitor) close() error {
	v.stop()
	return v.err
}

// visitedStream is the stream as the function reads it: when it needs bytes, it
// lets the writer run.
type visitedStream struct {
	v     *visitor
	yield func(struct{}) bool
}

func (s visitedStream) Read(p []byte) (int, error) {
	for len(s.v.data) == 0 && len(p) > 0 {
		if s.v.closed = s.v.closed || !s.yield(struct{}{}); s.v.closed {
			return 0, io.EOF
		}
	}
	n := copy(p, s.v.data)
	s.v.data = s.v.data[n:]
	return n, nil
}
