package unpack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	// maxTotal is how many bytes all streams of a walk may unpack to together. A
	// kernel's source unpacks to 1.5 GiB; a bomb must not take an hour.
	maxTotal = 8 << 30
	// maxDepth is how deep compressed data in compressed data is opened. The
	// deepest known is 3: an archive of bzImages with a configuration in each.
	maxDepth = 8
)

// Visit reads a stream; where says which one it is. It need not read to the
// end. While one Visit reads a stream, Visits of the streams inside it are
// called, but never two at the same time.
type Visit func(r io.Reader, where string) error

// LimitError reports a stream that holds more than Walk opens.
type LimitError struct{ Where, Limit string }

func (e *LimitError) Error() string {
	return fmt.Sprintf("opening what is compressed in %s: %s", e.Where, e.Limit)
}

// Walk reads r to its end. It calls visit for r with where, and for every stream
// compressed in r at any depth with "where, unpacked from 0x41b3". It does not
// visit an empty stream. It visits damaged data as far as it unpacks; the last
// part of that data, or what lies before other bytes, may be visited twice.
//
// Each stream is read once, from front to end, and only a window of it is kept;
// memory does not depend on sizes. Errors are r's own, the first one that visit
// returns, which ends the walk, and *LimitError.
func Walk(r io.Reader, where string, visit Visit) error {
	return walk(r, where, visit, maxTotal)
}

func walk(r io.Reader, where string, visit Visit, limit int64) error {
	w := &walker{visit: visit, left: limit, limit: limit}
	w.stream(outerStream{r, w}, where, 0)
	return w.err
}

// walker is the state of one walk.
type walker struct {
	visit       Visit
	left, limit int64
	// err ends the walk. All readers of the walk return it from then on.
	err error
}

// windows are the buffers of streams. They are used again because a package has
// thousands of small files.
var windows = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, windowSize) }}

// outerStream is the stream that Walk was given. Its errors end the walk.
type outerStream struct {
	io.Reader
	w *walker
}

func (s outerStream) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.w.fail(err)
	}
	return n, err
}

func (w *walker) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// stream visits one stream and opens what is compressed in it.
func (w *walker) stream(r io.Reader, where string, depth int) {
	visitor := newVisitor(func(r io.Reader) error { return w.visit(r, where) })
	b := windows.Get().(*bufio.Reader)
	defer windows.Put(b)
	b.Reset(io.TeeReader(r, visitor))
	for at := int64(0); w.err == nil; {
		skipped, found := next(b)
		if at += skipped; !found || w.err != nil {
			break
		}
		at += w.open(b, where, at, depth)
	}
	if err := visitor.close(); err != nil {
		w.fail(err)
	}
}

// open visits what the data at the front of b unpacks to. It returns how many
// bytes of b need not be searched again.
func (w *walker) open(b *bufio.Reader, where string, at int64, depth int) int64 {
	packed := &trial{b: b}
	inside := where + ", unpacked"
	if at > 0 {
		inside += fmt.Sprintf(" from %#x", at)
	}
	plain, err := Open(packed, NoLimit)
	if err != nil {
		return packed.end(false)
	}
	defer plain.Close()
	u := &unpacked{r: plain, w: w, where: inside, depth: depth + 1, certain: at == 0}
	first := bufio.NewReaderSize(u, 16)
	if _, err := first.Peek(1); err == nil { // an error at once means that this is most likely no compressed data
		w.stream(first, inside, depth+1)
	}
	return packed.end(u.complete)
}

// unpacked is what compressed data unpacks to, up to its end or its damage.
type unpacked struct {
	r     io.Reader
	w     *walker
	where string
	depth int
	// certain says that this is compressed data and not a number or a text that
	// looks like it.
	certain bool
	// complete says that the data ended without an error, and the stream around
	// it with it.
	complete bool
}

func (u *unpacked) Read(p []byte) (int, error) {
	if u.w.err != nil {
		return 0, u.w.err
	}
	n, err := u.r.Read(p)
	u.w.left -= int64(n)
	limit := ""
	switch {
	case n > 0 && u.depth > maxDepth:
		limit = fmt.Sprintf("it is more than %d levels deep in other compressed data", maxDepth)
	case u.w.left < 0:
		limit = fmt.Sprintf("more than %d bytes come out in all", u.w.limit)
	case u.certain && errors.Is(err, ErrWindow):
		limit = err.Error()
	}
	if limit != "" {
		u.w.fail(&LimitError{u.where, limit})
		return 0, u.w.err
	}
	if u.complete = err == io.EOF; err != nil {
		err = io.EOF
	}
	return n, err
}
