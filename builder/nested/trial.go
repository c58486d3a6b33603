package nested

import "bufio"

// trial reads what may turn out to be damaged, or no compressed data at all: it
// only peeks into its window, and lets go of half of it when that is full.
type trial struct {
	b   *bufio.Reader
	off int // bytes of b that were read
	// done are those that cannot be gone back on any more.
	done int64
}

func (t *trial) Read(p []byte) (int, error) {
	if t.off == t.b.Size() {
		t.discard(t.off / 2)
	}
	data, err := t.b.Peek(min(t.off+len(p), t.b.Size()))
	n := copy(p, data[t.off:])
	t.off += n
	if n > 0 {
		err = nil
	}
	return n, err
}

func (t *trial) discard(n int) {
	t.b.Discard(n)
	t.off -= n
	t.done += int64(n)
}

// end gives how many bytes the stream has moved on: to its end if the data was
// whole and ended there. Otherwise nobody knows where the data ended, or whether
// it was any: what follows its first byte, or what is left of it in the window,
// is searched once more.
func (t *trial) end(whole bool) int64 {
	switch {
	case whole:
		t.discard(t.off)
	case t.done == 0:
		t.discard(1)
	}
	return t.done
}
