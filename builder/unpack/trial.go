package unpack

import "bufio"

// trial reads what may be damaged, or no compressed data at all. It only peeks
// into the window of b, so that it can go back; when the window is full, it
// drops the first half.
type trial struct {
	b   *bufio.Reader
	off int // how many bytes of the window were read
	// dropped is how many bytes have left the window; there is no way back to
	// these.
	dropped int64
}

func (t *trial) Read(p []byte) (int, error) {
	if t.off == t.b.Size() {
		t.drop(t.off / 2)
	}
	data, err := t.b.Peek(min(t.off+len(p), t.b.Size()))
	n := copy(p, data[t.off:])
	t.off += n
	if n > 0 {
		err = nil
	}
	return n, err
}

func (t *trial) drop(n int) {
	t.b.Discard(n)
	t.off -= n
	t.dropped += int64(n)
}

// end ends the trial and returns how many bytes the stream has moved on. If the
// data unpacked completely and the stream ended with it, that is all of them.
// Otherwise nobody knows where the data ended, or whether it was compressed at
// all: the search goes on behind its first byte or, if that has left the window,
// at the start of the window.
func (t *trial) end(complete bool) int64 {
	switch {
	case complete:
		t.drop(t.off)
	case t.dropped == 0:
		t.drop(1)
	}
	return t.dropped
}
