package leak

import (
	"bytes"
	"errors"
	"io"

	"namibuild/builder/unpack"
)

// window is how many bytes of a file are searched at once. margin is how many of
// them the next window repeats: more than a needle and its surroundings take.
const (
	window = 1 << 20
	margin = 128
)

// content searches a file and what is compressed in it. A file that unpacks to
// more than unpack.Walk opens is no error; it is searched up to that point.
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

// buffer returns a free buffer. Each stream needs its own, because a compressed
// stream is searched while the search of the stream around it goes on.
func (s *search) buffer() []byte {
	last := len(s.free) - 1
	if last < 0 {
		return make([]byte, window+2*margin)
	}
	b := s.free[last]
	s.free = s.free[:last]
	return b
}

// plain searches a stream.
func (s *search) plain(r io.Reader, buffer []byte) error {
	buf := buffer[:0]
	for first := true; ; first = false {
		n, err := io.ReadFull(r, buf[len(buf):min(cap(buf), len(buf)+window)])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		buf = buf[:len(buf)+n]
		from, to := margin, len(buf)-margin // other windows search the margins
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

// window searches data for what begins between from and to.
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

// gzip checks the time in what may be the header of a gzip stream. A time between
// the epoch and the last day of the build is not there by chance.
func (s *search) gzip(h []byte) {
	stamp, _ := unpack.GzipTime(h)
	late := len(s.Days) > 0 && stamp > s.Days[len(s.Days)-1].Unix()+24*60*60
	if stamp > s.Epoch && !late {
		s.add(GzipStamp, s.file, moment(stamp), "none, or at most "+moment(s.Epoch))
	}
}
