package event

import "io"

// Reader reports how many bytes were read from it.
type Reader struct {
	r           io.Reader
	done, total int64
	tell        func(done, total int64)
}

// NewReader returns a Reader of r, which has total bytes, or an unknown number if total
// is 0. It calls tell after each read.
func NewReader(r io.Reader, total int64, tell func(done, total int64)) *Reader {
	return &Reader{r: r, total: total, tell: tell}
}

// Read reads from the underlying Reader and reports the progress.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.done += int64(n)
	r.tell(r.done, r.total)
	return n, err
}
