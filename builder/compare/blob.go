package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// blob is content that can be read anywhere.
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

// section is a part of a blob, cut where the blob ends.
func (b blob) section(from, size int64) blob {
	from = min(max(from, 0), b.size)
	size = min(max(size, 0), b.size-from)
	return blob{io.NewSectionReader(b.ReaderAt, from, size), size}
}

func (b blob) span(s span) blob { return b.section(s.from, s.to-s.from) }

// all is a reader of the whole blob.
func (b blob) all() *io.SectionReader { return io.NewSectionReader(b.ReaderAt, 0, b.size) }

// bytes reads the whole blob: the caller knows that it is small.
func (b blob) bytes() ([]byte, error) {
	data := make([]byte, b.size)
	_, err := io.ReadFull(b.all(), data)
	return data, err
}

// head is up to n bytes of its start.
func (b blob) head(n int64) ([]byte, error) { return b.section(0, n).bytes() }

// inMemory bounds what spool keeps in memory, maxPlain what it takes at all.
const (
	inMemory = 4 << 20
	maxPlain = 8 << 30
)

var errTooLarge = errors.New("it unpacks to more than 8 GiB")

// spool keeps what a stream delivers: little in memory, more in a nameless
// temporary file. The caller calls the function when done. A stream that breaks
// off is a *brokenError.
func spool(r io.Reader) (blob, func(), error) {
	b, done, err := keep(r)
	var local *fs.PathError // this host's disk failed, not the content
	if err != nil && !errors.As(err, &local) {
		err = &brokenError{err}
	}
	return b, done, err
}

func keep(r io.Reader) (blob, func(), error) {
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

// span is the bytes from and up to an offset.
type span struct{ from, to int64 }

// near is how far two differences lie apart to count as one, and how much of
// the surroundings is looked at: more than any date, name or key takes.
const near = 4096

// spans are where two blobs of one size differ, at most max of them.
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

// middle is where two blobs differ between a common start and a common end.
func middle(a, b blob) (start, end int64, err error) {
	start, err = common(min(a.size, b.size), func(p []byte, at int64) error { return at2(a, p, at) },
		func(p []byte, at int64) error { return at2(b, p, at) }, false)
	if err != nil {
		return 0, 0, err
	}
	left := min(a.size, b.size) - start
	end, err = common(left, func(p []byte, at int64) error { return at2(a, p, a.size-at-int64(len(p))) },
		func(p []byte, at int64) error { return at2(b, p, b.size-at-int64(len(p))) }, true)
	return start, end, err
}

func at2(b blob, p []byte, at int64) error {
	if _, err := b.ReadAt(p, at); err != nil && err != io.EOF {
		return fmt.Errorf("reading: %w", err)
	}
	return nil
}

// common counts the bytes, up to most, that two readers have alike; backwards
// they deliver blocks from the end.
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
