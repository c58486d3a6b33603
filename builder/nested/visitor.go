package nested

import (
	"io"
	"iter"
)

// visitor turns a function that reads a stream into a Writer of that stream. The
// two take turns: no byte is kept, and neither runs beside the other.
type visitor struct {
	data   []byte // written and not yet read
	closed bool
	err    error // the function's
	resume func() (struct{}, bool)
	stop   func()
}

// start takes a function; the first byte written starts it. The caller closes
// the visitor.
func start(read func(io.Reader) error) *visitor {
	v := &visitor{}
	v.resume, v.stop = iter.Pull(func(yield func(struct{}) bool) { v.err = read(turns{v, yield}) })
	return v
}

// Write returns when p is read. It gives the function's error once that has
// ended; what is written behind its end is nobody's.
func (v *visitor) Write(p []byte) (int, error) {
	for v.data = p; len(v.data) > 0; {
		if _, more := v.resume(); !more {
			v.data = nil
		}
	}
	return len(p), v.err
}

// close lets the function see the end of the stream, and gives its error.
func (v *visitor) close() error {
	v.stop()
	return v.err
}

// turns is the function's end: to wait for bytes is to let the writer run.
type turns struct {
	v     *visitor
	yield func(struct{}) bool
}

func (t turns) Read(p []byte) (int, error) {
	for len(t.v.data) == 0 && len(p) > 0 {
		if t.v.closed = t.v.closed || !t.yield(struct{}{}); t.v.closed {
			return 0, io.EOF
		}
	}
	n := copy(p, t.v.data)
	t.v.data = t.v.data[n:]
	return n, nil
}
