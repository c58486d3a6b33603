package event

import "io"

// Reader tells how many bytes were read from it.
type Reader struct {
	r           io.Reader
	done, total int64
	tell        func(done, total int64)
}

// NewReader gives a Reader of r, which has total bytes; a total of 0 is not known.
func NewReader(r io.Reader, total int64, tell func(done, total int64)) *Reader {
	return &Reader{r: r, total: total, tell: tell}
}

// Read reads and tells.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.done += int64(n)
	r.tell(r.done, r.total)
	return n, err
}
