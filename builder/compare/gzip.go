package compare

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"
)

// gzip compares the headers of two gzip streams, then what they unpack to.
func (c *comparer) gzip(p Place, a, b blob) error {
	one, err := gzipHeader(a)
	if err != nil {
		return err
	}
	two, err := gzipHeader(b)
	if err != nil {
		return err
	}
	stamp := func(field, x, y string, cause *Cause) {
		if x != y {
			c.found.cause(cause, p.field(field), x, y)
		}
	}
	stamp("gzip stamp", moment(one.ModTime), moment(two.ModTime), gzipStamp)
	stamp("gzip name", one.Name, two.Name, gzipStamp)
	stamp("gzip system", strconv.Itoa(int(one.OS)), strconv.Itoa(int(two.OS)), toolchain)
	if one.Comment != two.Comment || string(one.Extra) != string(two.Extra) {
		c.found.unexplained(p.field("gzip comment"), one.Comment+string(one.Extra), two.Comment+string(two.Extra))
	}
	// The rest is compared without the headers: if only a time in these differs,
	// the compressed form does not.
	same, err := equal(a.section(one.size, a.size), b.section(two.size, b.size))
	if err != nil || same {
		return err
	}
	return c.compressed(p, a, b)
}

// header is the header of a gzip stream and how many bytes it takes (RFC 1952,
// 2.3).
type header struct {
	gzip.Header
	size int64
}

// gzipHeader reads the header of a gzip stream.
func gzipHeader(b blob) (header, error) {
	r, err := gzip.NewReader(b.all())
	if err != nil {
		return header{}, &brokenError{err}
	}
	defer r.Close()
	h := header{r.Header, 10}
	flags, err := b.section(3, 1).bytes()
	if err != nil {
		return h, err
	}
	if flags[0]&4 != 0 {
		h.size += 2 + int64(len(h.Extra))
	}
	for flag, text := range map[byte]string{8: h.Name, 16: h.Comment} {
		if flags[0]&flag != 0 {
			h.size += int64(len([]rune(text))) + 1 // Latin 1 has one byte for each character
		}
	}
	if flags[0]&2 != 0 {
		h.size += 2
	}
	return h, nil
}

// moment returns a time as people and packages write it, "none" for no time.
func moment(t time.Time) string {
	if t.IsZero() || t.Unix() == 0 {
		return "none"
	}
	return unix(t.Unix())
}

// unix returns seconds since 1970 as people and packages write them.
func unix(seconds int64) string {
	return fmt.Sprintf("%d (%s)", seconds, time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04:05 UTC"))
}

// littleEndianTime returns four bytes, little endian, as unix does.
func littleEndianTime(b []byte) string { return unix(int64(binary.LittleEndian.Uint32(b))) }
