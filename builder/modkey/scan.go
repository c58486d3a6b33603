package modkey

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Scan reads r to its end and says whether the private half of the key is in it:
// as bytes, in hexadecimal, in base64 at any place of a longer text. Compressed
// data is for the caller to open.
func (k Key) Scan(r io.Reader) (found bool, err error) {
	secret := k.private.X.FillBytes(make([]byte, sha1.Size))
	wanted := forms(secret)
	longest := 0
	for _, w := range wanted {
		longest = max(longest, len(w))
	}
	buf, kept := make([]byte, 1<<20), 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		window := buf[:kept+n]
		for _, w := range wanted {
			if bytes.Contains(window, w) {
				return true, nil
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(buf, window[max(0, len(window)-longest+1):])
	}
}

// forms are the ways in which a secret may be written down.
func forms(secret []byte) [][]byte {
	small := hex.EncodeToString(secret)
	all := [][]byte{secret, []byte(small), []byte(strings.ToUpper(small))}
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
