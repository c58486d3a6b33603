package leak

import (
	"bytes"
	"errors"
	"io"

	"namibuild/builder/unpack"
)

// window is how much of a file is searched at once, margin what the next window
// sees again: more than a needle and its surroundings take.
const (
	window = 1 << 20
	margin = 128
)

// content searches a file to its end, and what is compressed in it. One that
// unpacks to more than is opened is not our business: it is searched so far.
func (s *search) content(r io.Reader) error {
	err := unpack.Walk(r, s.file, func(r io.Reader, _ string) error {
		buffer := s.buffer()
		defer func() { s.free = append(s.free, buffer) }()
		return s.plain(r, buffer)
	})
	if limit := (*unpack.LimitError)(nil); errors.As(err, &limit) {
		return nil
	}
	return err
}

// buffer is one for a stream: a nested one is searched while the one it is in
// still is.
func (s *search) buffer() []byte {
	last := len(s.free) - 1
	if last < 0 {
		return make([]byte, window+2*margin)
	}
	b := s.free[last]
	s.free = s.free[:last]
	return b
}

// plain searches bytes as they are.
func (s *search) plain(r io.Reader, buffer []byte) error {
	buf := buffer[:0]
	for first := true; ; first = false {
		n, err := io.ReadFull(r, buf[len(buf):min(cap(buf), len(buf)+window)])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		buf = buf[:len(buf)+n]
		from, to := margin, len(buf)-margin // what is in the margins is, or will be, another window's
		if first {
			from = 0
		}
		if last {
			to = len(buf)
		}
		s.window(buf, from, to)
		if last {
			return nil
		}
		buf = append(buf[:0], buf[len(buf)-2*margin:]...)
	}
}

// window searches for what begins at from or behind it, and before to.
func (s *search) window(data []byte, from, to int) {
	for _, n := range s.needles {
		for at := from; at < to; {
			i := bytes.Index(data[at:], n.text)
			if i < 0 || at+i >= to {
				break
			}
			at += i
			if got, ok := n.match(data, at); ok {
				s.add(n.kind, s.file, got, "")
			}
			at += len(n.text)
		}
	}
	for at := from; at < to; {
		i := unpack.Index(data[at:], unpack.Gzip)
		if i < 0 || at+i >= to {
			break
		}
		s.gzip(data[at+i:])
		at += i + 1
	}
}

// gzip looks at the stamp of what may be the header of a gzip stream: one that
// lies between the epoch and the last day of the build is no accident.
func (s *search) gzip(h []byte) {
	stamp, _ := unpack.GzipTime(h)
	late := len(s.Days) > 0 && stamp > s.Days[len(s.Days)-1].Unix()+24*60*60
	if stamp > s.Epoch && !late {
		s.add(GzipStamp, s.file, moment(stamp), "none, or at most "+moment(s.Epoch))
	}
}
