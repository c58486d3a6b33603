package leak

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"namibuild/builder/rpm"
)

const (
	// window is how much of a file is searched at once, margin what the next
	// window sees again: more than a needle and its surroundings take.
	window = 1 << 20
	margin = 128
	// maxImage bounds a bzImage, which is read whole.
	maxImage = 64 << 20
	// maxDepth bounds how deep compressed data in compressed data is unpacked.
	maxDepth = 4

	bufferSize = 1 << 16
)

// magics are the first bytes of what rpm.Decompress reads, but for lzma, whose
// are too few to tell it.
var magics = []string{"\x1f\x8b\x08", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd", "BZh"}

// content searches a file to its end.
func (s *search) content(r io.Reader) error {
	s.reader.Reset(r)
	return s.unpacked(s.reader, 0)
}

func (s *search) unpacked(b *bufio.Reader, depth int) error {
	head, err := b.Peek(0x250)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case depth < maxDepth && isImage(head):
		return s.image(b, depth)
	case depth < maxDepth && compressed(head):
		return s.compressed(b, head, depth)
	}
	return s.plain(b)
}

func compressed(head []byte) bool {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m)) {
			return true
		}
	}
	return false
}

// compressed searches what a stream unpacks to. One that is damaged is not our
// business: it is searched as far as it goes.
func (s *search) compressed(b *bufio.Reader, head []byte, depth int) error {
	s.gzip(head)
	source := &kept{r: b}
	if plain, err := rpm.Decompress(source); err == nil {
		_ = s.unpacked(bufio.NewReaderSize(plain, bufferSize), depth+1)
		plain.Close()
	}
	if source.err != nil {
		return source.err
	}
	_, err := io.Copy(io.Discard, b)
	return err
}

// kept keeps the error of a source, which tells it from one of what is read
// from it.
type kept struct {
	r   io.Reader
	err error
}

func (k *kept) Read(p []byte) (int, error) {
	n, err := k.r.Read(p)
	if err != nil && err != io.EOF {
		k.err = err
	}
	return n, err
}

// isImage tells a bzImage whose header says where the packed kernel is
// (Documentation/arch/x86/boot.rst, protocol 2.08).
func isImage(head []byte) bool {
	return len(head) >= 0x250 && head[0x1fe] == 0x55 && head[0x1ff] == 0xaa && string(head[0x202:0x206]) == "HdrS" &&
		binary.LittleEndian.Uint16(head[0x206:]) >= 0x208
}

// image searches a bzImage, and the kernel packed in it.
func (s *search) image(r io.Reader, depth int) error {
	data, err := io.ReadAll(io.LimitReader(r, maxImage))
	if err != nil {
		return err
	}
	if err := s.plain(io.MultiReader(bytes.NewReader(data), r)); err != nil {
		return err
	}
	sectors := int64(data[0x1f1])
	if sectors == 0 {
		sectors = 4
	}
	from := (sectors+1)*512 + int64(binary.LittleEndian.Uint32(data[0x248:]))
	to := from + int64(binary.LittleEndian.Uint32(data[0x24c:]))
	if from >= to || to > int64(len(data)) {
		return nil
	}
	if packed := data[from:to]; compressed(packed) { // its gzip stamp was seen above
		return s.compressed(bufio.NewReaderSize(bytes.NewReader(packed), bufferSize), nil, depth+1)
	}
	return nil
}

// plain searches bytes as they are.
func (s *search) plain(r io.Reader) error {
	buf := s.buffer[:0]
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
		i := bytes.Index(data[at:], []byte(magics[0]))
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
	if len(h) < 10 || string(h[:3]) != magics[0] || h[3] >= 0x20 || h[8] > 4 || h[9] > 13 && h[9] != 255 { // RFC 1952, 2.3
		return
	}
	stamp := int64(binary.LittleEndian.Uint32(h[4:]))
	late := len(s.Days) > 0 && stamp > s.Days[len(s.Days)-1].Unix()+24*60*60
	if stamp > s.Epoch && !late {
		s.add(GzipStamp, s.file, moment(stamp), "none, or at most "+moment(s.Epoch))
	}
}

func newReader() *bufio.Reader { return bufio.NewReaderSize(nil, bufferSize) }
