package buildlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// The parts of a log that are kept. The log of a CentOS 6 kernel with debug
// information has 11 MB, so only a program gone wrong reaches these limits.
const (
	MaxHead = 256 << 20
	MaxTail = 64 << 20
)

// File is what Bounded writes to, such as an *os.File.
type File interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
}

// Bounded writes a log to an empty file and leaves out its middle if the log is
// longer than Head and Tail together. Until Close, the last Tail bytes of such a
// log are in the file out of order. The cuts are at the ends of lines if each
// Write is one line.
type Bounded struct {
	File File
	// Head and Tail are in bytes. If they are 0, they are MaxHead and MaxTail.
	Head, Tail int64

	head int64 // the bytes before the first write that did not fit into Head
	size int64 // all bytes written
	cut  bool  // head is final
}

// Write adds to the log.
func (b *Bounded) Write(p []byte) (int, error) {
	b.setLimits()
	if !b.cut && b.size+int64(len(p)) > b.Head {
		b.head, b.cut = b.size, true
	}
	for rest := p; len(rest) > 0; {
		at, room := b.size, int64(len(rest))
		if b.cut { // the tail is a ring behind the head
			in := (b.size - b.head) % b.Tail
			at, room = b.head+in, b.Tail-in
		}
		n, err := b.File.WriteAt(rest[:min(room, int64(len(rest)))], at)
		b.size += int64(n)
		if rest = rest[n:]; err != nil {
			return len(p) - len(rest), err
		}
	}
	return len(p), nil
}

func (b *Bounded) setLimits() {
	if b.Head == 0 {
		b.Head = MaxHead
	}
	if b.Tail == 0 {
		b.Tail = MaxTail
	}
}

// Close puts the tail in order, behind a line that says how much is left out, and
// returns that number of bytes. It does not close the file, and is called once.
func (b *Bounded) Close() (leftOut int64, err error) {
	if !b.cut || b.size-b.head <= b.Tail {
		return 0, nil
	}
	tail, err := b.ordered()
	if err != nil {
		return 0, fmt.Errorf("writing the log: %w", err)
	}
	if end := bytes.IndexByte(tail, '\n'); end >= 0 {
		tail = tail[end+1:]
	}
	leftOut = b.size - b.head - int64(len(tail))
	told := fmt.Appendf(nil, "\n[%d bytes of the log are left out here: it keeps its first %d and last %d bytes]\n", leftOut, b.Head, b.Tail)
	_, err = b.File.WriteAt(append(told, tail...), b.head)
	err = errors.Join(err, b.File.Truncate(b.head+int64(len(told)+len(tail))))
	if err != nil {
		return leftOut, fmt.Errorf("writing the log: %w", err)
	}
	return leftOut, nil
}

// ordered returns the ring from its oldest byte on.
func (b *Bounded) ordered() ([]byte, error) {
	oldest := (b.size - b.head) % b.Tail
	tail := make([]byte, b.Tail)
	_, err := b.File.ReadAt(tail[:b.Tail-oldest], b.head+oldest)
	if err == nil || errors.Is(err, io.EOF) {
		_, err = b.File.ReadAt(tail[b.Tail-oldest:], b.head)
	}
	if errors.Is(err, io.EOF) { // the ring ends where the file does
		err = nil
	}
	return tail, err
}
