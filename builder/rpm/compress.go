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

// decompress reads the payload that starts at r. The format is told by its first
// bytes: rpm's tag may be missing, and it is the bytes that have to be read. The
// result starts no goroutine and ends with an error when anything follows the
// compressed data. Its size has no limit here: callers read only as much as the
// header announces.
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
