package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// blob is content that can be read at any offset.
type blob struct {
	io.ReaderAt
	size int64
}

func fileBlob(f *os.File) (blob, error) {
	info, err := f.Stat()
	if err != nil {
		return blob{}, err
	}
	return blob{f, info.Size()}, nil
}

// section returns a part of a blob, cut where the blob ends.
func (b blob) section(from, size int64) blob {
	from = min(max(from, 0), b.size)
	size = min(max(size, 0), b.size-from)
	return blob{io.NewSectionReader(b.ReaderAt, from, size), size}
}

func (b blob) span(s span) blob { return b.section(s.from, s.to-s.from) }

// all returns a reader of the whole blob.
func (b blob) all() *io.SectionReader { return io.NewSectionReader(b.ReaderAt, 0, b.size) }

// bytes reads the whole blob. The caller must know that it is small.
func (b blob) bytes() ([]byte, error) {
	data := make([]byte, b.size)
	_, err := io.ReadFull(b.all(), data)
	return data, err
}

// head returns the first n bytes, or all if there are fewer.
func (b blob) head(n int64) ([]byte, error) { return b.section(0, n).bytes() }

// inMemory is how many bytes spool keeps in memory, maxPlain how many it takes at
// most.
const (
	inMemory = 4 << 20
	maxPlain = 8 << 30
)

var errTooLarge = errors.New("it unpacks to more than 8 GiB")

// spool reads a stream to its end and makes it a blob: in memory if it is small,
// otherwise in an unnamed temporary file. The caller calls the function when
// done. An error of the stream is a *brokenError.
func spool(r io.Reader) (blob, func(), error) {
	b, done, err := store(r)
	var local *fs.PathError // the disk of this host failed, not the stream
	if err != nil && !errors.As(err, &local) {
		err = &brokenError{err}
	}
	return b, done, err
}

func store(r io.Reader) (blob, func(), error) {
	var head bytes.Buffer
	n, err := io.Copy(&head, io.LimitReader(r, inMemory))
	if err != nil {
		return blob{}, nil, err
	}
	if n < inMemory {
		return blob{bytes.NewReader(head.Bytes()), n}, func() {}, nil
	}
	f, err := os.CreateTemp("", "namibuild-compare-*")
	if err != nil {
		return blob{}, nil, err
	}
	n, err = io.Copy(f, io.MultiReader(&head, io.LimitReader(r, maxPlain-n+1)))
	if err == nil && n > maxPlain {
		err = errTooLarge
	}
	if rerr := os.Remove(f.Name()); err != nil || rerr != nil {
		return blob{}, nil, errors.Join(err, rerr, f.Close())
	}
	return blob{f, n}, func() { f.Close() }, nil
}

// span is the bytes from one offset up to another.
type span struct{ from, to int64 }

// near is the distance below which two differences count as one, and how much
// around a difference is searched for its cause. No date, name or key is longer.
const near = 4096

// spans returns where two blobs of one size differ, at most max places; more says
// that there are others.
func spans(a, b blob, max int) (found []span, more bool, err error) {
	const step = 1 << 18
	one, two := make([]byte, step), make([]byte, step)
	for at := int64(0); at < a.size; at += step {
		n := min(step, a.size-at)
		if _, err := a.ReadAt(one[:n], at); err != nil && err != io.EOF {
			return nil, false, err
		}
		if _, err := b.ReadAt(two[:n], at); err != nil && err != io.EOF {
			return nil, false, err
		}
		if bytes.Equal(one[:n], two[:n]) {
			continue
		}
		for i := range n {
			if one[i] == two[i] {
				continue
			}
			if last := len(found) - 1; last >= 0 && at+i < found[last].to+near {
				found[last].to = at + i + 1
				continue
			}
			if len(found) == max {
				return found, true, nil
			}
			found = append(found, span{at + i, at + i + 1})
		}
	}
	return found, false, nil
}

// middle returns the lengths of the common start and of the common end of two
// blobs, which do not overlap.
func middle(a, b blob) (start, end int64, err error) {
	start, err = common(min(a.size, b.size), func(p []byte, at int64) error { return readAt(a, p, at) },
		func(p []byte, at int64) error { return readAt(b, p, at) }, false)
	if err != nil {
		return 0, 0, err
	}
	left := min(a.size, b.size) - start
	end, err = common(left, func(p []byte, at int64) error { return readAt(a, p, a.size-at-int64(len(p))) },
		func(p []byte, at int64) error { return readAt(b, p, b.size-at-int64(len(p))) }, true)
	return start, end, err
}

// readAt fills p from offset at; what lies behind the end of b stays as it is.
func readAt(b blob, p []byte, at int64) error {
	if _, err := b.ReadAt(p, at); err != nil && err != io.EOF {
		return fmt.Errorf("reading: %w", err)
	}
	return nil
}

// common returns how many bytes, at most most, two readers have in common. If
// backwards is set, they read blocks from the end.
func common(most int64, one, two func([]byte, int64) error, backwards bool) (int64, error) {
	const step = 1 << 18
	p, q := make([]byte, step), make([]byte, step)
	for at := int64(0); at < most; at += step {
		n := min(step, most-at)
		if err := errors.Join(one(p[:n], at), two(q[:n], at)); err != nil {
			return 0, err
		}
		for i := range n {
			j := i
			if backwards {
				j = n - 1 - i
			}
			if p[j] != q[j] {
				return at + i, nil
			}
		}
	}
	return most, nil
}
