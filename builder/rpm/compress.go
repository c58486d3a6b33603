package rpm

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"namibuild/builder/unpack"
)

// cpioPrefix begins a payload that is not compressed: all three magic numbers of
// cpio archives that rpm writes begin so.
const cpioPrefix = "07070"

// decompress reads the payload that starts at r. It recognizes the compressor by
// the first bytes, because rpm's tag may be missing or wrong. The result starts no
// goroutine, and ends with an error when other bytes follow the compressed data.
// Its size has no limit: callers stop at the sizes in the header, or only hash
// what they read.
func decompress(r *bufio.Reader) (io.ReadCloser, error) {
	start, err := r.Peek(len(cpioPrefix))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.Equal(start, []byte(cpioPrefix)) {
		return io.NopCloser(r), nil
	}
	return unpack.Open(r, unpack.NoLimit)
}
