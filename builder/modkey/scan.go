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

// window is how many bytes of a number are looked for: enough to be no accident.
const window = 20

// buffers are used again: a package has thousands of small files.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

type buffer [1 << 20]byte

// Scan reads r to its end and says whether the private half of the key is in it:
// as bytes, in hexadecimal, in base64 at any place of a longer text, in lines
// and with colons too. Compressed data is for the caller to open.
func (k Key) Scan(r io.Reader) (found bool, err error) {
	var raw, written [][]byte
	for _, n := range k.numbers() {
		raw = append(raw, n[:window])
		written = append(written, forms(n[:window])...)
	}
	// A byte is four when it is written as openssl -text does: two digits, a
	// colon, its part of the line's end and indentation.
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

// squeeze appends what is no blank, line's end or colon.
func squeeze(to, from []byte) []byte {
	for _, c := range from {
		if c != '\n' && c != ' ' && c != ':' && c != '\r' {
			to = append(to, c)
		}
	}
	return to
}

// forms are the ways in which a secret may be written down as text.
func forms(secret []byte) [][]byte {
	small := hex.EncodeToString(secret)
	all := [][]byte{[]byte(small), []byte(strings.ToUpper(small))}
	for before := range 3 {
		// what the neighbours have a part in, at both ends, is cut off
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), secret...))
		first := (before*8 + 5) / 6
		last := (before + len(secret)) * 8 / 6
		all = append(all, []byte(text[first:last]))
	}
	return all
}

// LeakError says where the private half of a module key was found.
type LeakError struct{ Where string }

func (e *LeakError) Error() string {
	return fmt.Sprintf("the private half of the module key is in %s", e.Where)
}
