package compare

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
)

// maxSpans is how many places are searched for an explanation, maxWindow how many
// bytes at once.
const (
	maxSpans  = 4096
	maxWindow = 64 << 20
)

// region compares two pieces without a known structure, such as a text or a
// section of an ELF file. It searches for dates, names and keys that explain the
// difference.
func (c *comparer) region(p Place, a, b blob) error {
	if a.size == b.size {
		return c.sameSize(p, a, b)
	}
	start, end, err := middle(a, b)
	if err != nil {
		return err
	}
	from := max(0, start-near)
	one, two := a.section(from, a.size-end+near-from), b.section(from, b.size-end+near-from)
	ok, err := c.window(p, from, one, two)
	if err != nil || ok {
		return err
	}
	return c.reordered(p, start, a, b)
}

// sameSize compares two pieces of the same size, place by place.
func (c *comparer) sameSize(p Place, a, b blob) error {
	places, more, err := spans(a, b, maxSpans)
	if err != nil || len(places) == 0 {
		return err
	}
	if more {
		return c.differs(p, places[0].from, a, b)
	}
	before := c.found.mark()
	for _, s := range places {
		from := max(0, s.from-near)
		ok, err := c.window(p, from, a.section(from, s.to+near-from), b.section(from, s.to+near-from))
		if err != nil {
			return err
		}
		if !ok {
			c.found.reset(before)
			return c.reordered(p, s.from, a, b)
		}
	}
	return nil
}

// window reports whether two parts are equal but for tokens, which it records.
// base is the offset of part a.
func (c *comparer) window(p Place, base int64, a, b blob) (bool, error) {
	if a.size > maxWindow || b.size > maxWindow {
		return false, nil
	}
	one, err := a.bytes()
	if err != nil {
		return false, err
	}
	two, err := b.bytes()
	if err != nil {
		return false, err
	}
	return c.pieces(p, base, one, two), nil
}

// reordered checks whether two texts have the same lines in another order, without
// regard to dates and names. If not, the difference is unexplained; at is where it
// begins.
func (c *comparer) reordered(p Place, at int64, a, b blob) error {
	if a.size > maxWindow || b.size > maxWindow {
		return c.differs(p, at, a, b)
	}
	one, err := a.bytes()
	if err != nil {
		return err
	}
	two, err := b.bytes()
	if err != nil {
		return err
	}
	isText := func(data []byte) bool { return bytes.IndexByte(data, 0) < 0 && bytes.Count(data, []byte("\n")) > 1 }
	if !isText(one) || !isText(two) {
		return c.differs(p, at, a, b)
	}
	maskedOne := masked(one, c.tokens(one, func(w word) string { return w.a }))
	maskedTwo := masked(two, c.tokens(two, func(w word) string { return w.b }))
	if !maps.Equal(lines(maskedOne), lines(maskedTwo)) {
		return c.differs(p, at, a, b)
	}
	c.found.cause(order, p.field("order of lines"), lineAt(one, at), lineAt(two, at))
	return nil
}

// lines returns the lines of a text with their counts.
func lines(text []byte) map[string]int {
	all := map[string]int{}
	for line := range bytes.Lines(text) {
		all[string(bytes.TrimSuffix(line, []byte("\n")))]++
	}
	return all
}

// lineAt returns the line that holds the byte at an offset.
func lineAt(text []byte, at int64) string {
	at = min(at, int64(len(text)))
	line, _, _ := bytes.Cut(text[bytes.LastIndexByte(text[:at], '\n')+1:], []byte("\n"))
	return string(line)
}

// differs records an unexplained difference that begins at offset at.
func (c *comparer) differs(p Place, at int64, a, b blob) error {
	one, err := a.section(at, 16).bytes()
	if err != nil {
		return err
	}
	two, err := b.section(at, 16).bytes()
	if err != nil {
		return err
	}
	c.found.unexplained(p.field(offset+"0x"+strconv.FormatInt(at, 16)), sample(one, a.size), sample(two, b.size))
	return nil
}

// sample returns bytes as text if they are printable, in hexadecimal otherwise.
func sample(data []byte, size int64) string {
	for _, b := range data {
		if b < ' ' && b != '\n' && b != '\t' || b > '~' {
			return fmt.Sprintf("%s (of %d bytes)", hex.EncodeToString(data), size)
		}
	}
	return fmt.Sprintf("%q (of %d bytes)", data, size)
}
