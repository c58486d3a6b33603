package compare

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
)

// Limits of what is searched for an explanation: so many places, so many bytes
// at once.
const (
	maxSpans  = 4096
	maxWindow = 64 << 20
)

// region compares two pieces without a structure of their own, such as a text
// or a section of an ELF file: are they the same but for dates, names, keys?
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

// window tells whether two parts are the same but for tokens, which it records.
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

// reordered looks whether two texts have the same lines in another order, dates
// and names left out. If not, nothing explains them; at is where they begin to
// differ.
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

// lines counts the lines of a text.
func lines(text []byte) map[string]int {
	all := map[string]int{}
	for line := range bytes.Lines(text) {
		all[string(bytes.TrimSuffix(line, []byte("\n")))]++
	}
	return all
}

// lineAt is the line that holds a byte.
func lineAt(text []byte, at int64) string {
	at = min(at, int64(len(text)))
	line, _, _ := bytes.Cut(text[bytes.LastIndexByte(text[:at], '\n')+1:], []byte("\n"))
	return string(line)
}

// differs records that nothing explains a difference, and where it begins.
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

// sample shows bytes, as text where they are one.
func sample(data []byte, size int64) string {
	for _, b := range data {
		if b < ' ' && b != '\n' && b != '\t' || b > '~' {
			return fmt.Sprintf("%s (of %d bytes)", hex.EncodeToString(data), size)
		}
	}
	return fmt.Sprintf("%q (of %d bytes)", data, size)
}
