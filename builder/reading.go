package builder

import "io"

// reading tells how many bytes were read.
type reading struct {
	r           io.Reader
	done, total int64
	tell        func(done, total int64)
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.done += int64(n)
	r.tell(r.done, r.total)
	return n, err
}
