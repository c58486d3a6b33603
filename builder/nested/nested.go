// Package nested opens what is compressed inside a stream: a module's .ko.xz, a
// manual's .gz, the kernel in a bzImage, the configuration and the initramfs in
// that kernel, and what is in those again.
//
// It knows no archives and no images. Compressed data is told by its first
// bytes at whatever place it begins, so it is found in a tar or cpio archive, an
// ELF file or a bzImage alike, and what those hold as it is lies in the stream
// itself. The compressors are rpm's, gzip, xz, lzma, bzip2 and zstd, and lz4, which
// a kernel may be packed with. Not opened are lzo and bare deflate (zip, compressed
// ELF sections).
//
// Every stream is read once, from front to end, and nothing is kept of it but a
// window; a stream of any size takes the same memory.
package nested

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/therootcompany/xz"

	"namibuild/builder/rpm"
)

const (
	// maxPlain bounds what one stream may unpack to in all, in bytes: a kernel's
	// source takes 1.5 GiB, and an hour is not spent on a bomb.
	maxPlain = 8 << 30
	// maxDepth bounds how deep compressed data in compressed data is opened. The
	// deepest known is 3: an archive of bzImages with a configuration in each.
	maxDepth = 8
)

// Visit reads a stream; where tells which one it is. It need not read to the
// end. It is called while the stream that holds this one is being read by a
// Visit of its own, never at the same moment.
type Visit func(r io.Reader, where string) error

// LimitError says that a stream holds more than is opened.
type LimitError struct{ Where, Limit string }

func (e *LimitError) Error() string {
	return fmt.Sprintf("opening what is compressed in %s: %s", e.Where, e.Limit)
}

// Walk reads r to its end and gives it, and every stream compressed in it at any
// depth, to visit: r as where, the others as "where, unpacked from 0x41b3". An
// empty stream is not visited. Damaged data is visited as far as it unpacks; what lies
// in the last of it, or before other bytes, may be visited twice.
// Errors are r's own, visit's (the first one ends the walk), and *LimitError.
func Walk(r io.Reader, where string, visit Visit) error {
	return walk(r, where, visit, maxPlain)
}

func walk(r io.Reader, where string, visit Visit, limit int64) error {
	w := &walker{visit: visit, left: limit, limit: limit}
	w.stream(source{r, w}, where, 0)
	return w.err
}

// walker is one walk.
type walker struct {
	visit       Visit
	left, limit int64
	// err ends the walk. Whatever reads at that time is told, and told on.
	err error
}

// windows onto streams are used again: a package has thousands of small files.
var windows = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, windowSize) }}

// source is the stream that everything is in: its errors end the walk.
type source struct {
	io.Reader
	w *walker
}

func (s source) Read(p []byte) (int, error) {
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

// stream visits one stream and opens what is in it.
func (w *walker) stream(r io.Reader, where string, depth int) {
	visitor := start(func(r io.Reader) error { return w.visit(r, where) })
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

// open visits what the data at the front of b unpacks to, and gives how many
// bytes of b are done with.
func (w *walker) open(b *bufio.Reader, where string, at int64, depth int) int64 {
	packed := &trial{b: b}
	inside := where + ", unpacked"
	if at > 0 {
		inside += fmt.Sprintf(" from %#x", at)
	}
	plain, err := decompress(packed)
	if err != nil {
		return packed.end(false)
	}
	defer plain.Close()
	u := &unpacked{r: plain, w: w, where: inside, depth: depth + 1, certain: at == 0}
	first := bufio.NewReaderSize(u, 16)
	if _, err := first.Peek(1); err == nil { // else damaged at once: most likely no compressed data at all
		w.stream(first, inside, depth+1)
	}
	return packed.end(u.whole)
}

// decompress opens what begins with one of magics.
func decompress(t *trial) (io.ReadCloser, error) {
	if start, _ := t.b.Peek(len(lz4Frame)); string(start) == lz4Frame || string(start) == lz4Legacy {
		return io.NopCloser(lz4.NewReader(t)), nil
	}
	return rpm.Decompress(t)
}

// unpacked is what compressed data unpacks to, up to its end or its damage.
type unpacked struct {
	r     io.Reader
	w     *walker
	where string
	depth int
	// certain: this is compressed data, not a number or a text that looks so.
	certain bool
	// whole: it ended, and the stream that it was in with it.
	whole bool
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
		limit = fmt.Sprintf("it lies more than %d deep in other compressed data", maxDepth)
	case u.w.left < 0:
		limit = fmt.Sprintf("more than %d bytes come out", u.w.limit)
	case u.certain && (errors.Is(err, xz.ErrMemlimit) || errors.Is(err, zstd.ErrWindowSizeExceeded)):
		limit = err.Error()
	}
	if limit != "" {
		u.w.fail(&LimitError{u.where, limit})
		return 0, u.w.err
	}
	if u.whole = err == io.EOF; err != nil {
		err = io.EOF
	}
	return n, err
}
