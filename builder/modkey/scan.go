package modkey

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// window is the number of bytes of a secret number that Scan looks for. So many do
// not occur by accident.
const window = 20

// buffers are used again, because a package has thousands of small files.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

type buffer [1 << 20]byte

// Scan reads r to its end and reports whether the private half of the key is in it:
// as bytes, in hexadecimal, or in base64 at any place of a longer text, also if it
// is broken into lines or written with colons. The caller decompresses the data.
func (k Key) Scan(r io.Reader) (found bool, err error) {
	var raw, written [][]byte
	for _, n := range k.numbers() {
		raw = append(raw, n[:window])
		written = append(written, forms(n[:window])...)
	}
	// As openssl -text writes it, a byte takes four: two digits, a colon, and its
	// part of the line end and the indentation.
	const longest = 4 * window
	buf, text := buffers.Get().(*buffer), buffers.Get().(*buffer)
	defer buffers.Put(buf)
	defer buffers.Put(text)
	kept := 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		read := buf[:kept+n]
		if containsAny(read, raw) || containsAny(squeeze(text[:0], read), written) {
			return true, nil
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(buf[:], read[max(0, len(read)-longest):])
	}
}

func containsAny(b []byte, wanted [][]byte) bool {
	return slices.ContainsFunc(wanted, func(w []byte) bool { return bytes.Contains(b, w) })
}

// squeeze appends a text without its blanks, line ends and colons.
func squeeze(to, from []byte) []byte {
	for _, c := range from {
		if c != '\n' && c != ' ' && c != ':' && c != '\r' {
			to = append(to, c)
		}
	}
	return to
}

// forms returns the ways in which a secret may be written as text.
func forms(secret []byte) [][]byte {
	small := hex.EncodeToString(secret)
	all := [][]byte{[]byte(small), []byte(strings.ToUpper(small))}
	for before := range 3 {
		// digits at both ends that also depend on the bytes around are cut off
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), secret...))
		first := (before*8 + 5) / 6
		last := (before + len(secret)) * 8 / 6
		all = append(all, []byte(text[first:last]))
	}
	return all
}

// LeakError reports where the private half of a module key was found.
type LeakError struct{ Where string }

func (e *LeakError) Error() string {
	return fmt.Sprintf("the private half of the module key is in %s", e.Where)
}
