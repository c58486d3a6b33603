package rpm

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
)

// Header is an ordered set of tagged values, kept in the bytes that it was read
// from. It does not change. The accessors return the zero value for a tag that is
// missing or has another type.
type Header struct {
	raw     []byte
	entries []entry
	index   map[Tag]int
}

// entry is one line of a header's index. Its value is data[offset:end].
type entry struct {
	tag         Tag
	typ         Type
	offset, end int
	count       int
}

// Tags returns the header's tags in their order, without the region.
func (h *Header) Tags() []Tag {
	tags := make([]Tag, 0, len(h.entries))
	for _, e := range h.entries {
		if e.tag >= TagI18nTable {
			tags = append(tags, e.tag)
		}
	}
	return tags
}

// Has reports whether the header has a tag.
func (h *Header) Has(tag Tag) bool {
	_, ok := h.index[tag]
	return ok
}

// Type returns the type of a tag, or TypeNull if it is missing.
func (h *Header) Type(tag Tag) Type {
	e, _ := h.find(tag)
	return e.typ
}

// String returns a text, or the first of several. For a translated text that is the
// one of the C locale.
func (h *Header) String(tag Tag) string {
	e, _ := h.find(tag)
	switch e.typ {
	case TypeString, TypeStringArray, TypeI18nString:
		text, _, _ := bytes.Cut(h.value(e), []byte{0})
		return string(text)
	}
	return ""
}

// Strings returns the texts of a tag. A single text is a list of one.
func (h *Header) Strings(tag Tag) []string {
	e, _ := h.find(tag)
	switch e.typ {
	case TypeString, TypeStringArray, TypeI18nString:
	default:
		return nil
	}
	list := make([]string, 0, e.count)
	rest := h.value(e)
	for range e.count {
		text, after, _ := bytes.Cut(rest, []byte{0})
		list, rest = append(list, string(text)), after
	}
	return list
}

// Ints returns the numbers of a tag, which are unsigned. A 64-bit number beyond the
// range of int64 becomes negative.
func (h *Header) Ints(tag Tag) []int64 {
	e, _ := h.find(tag)
	data := h.value(e)
	var number func([]byte) int64
	switch e.typ {
	case TypeChar, TypeInt8:
		number = func(b []byte) int64 { return int64(b[0]) }
	case TypeInt16:
		number = func(b []byte) int64 { return int64(binary.BigEndian.Uint16(b)) }
	case TypeInt32:
		number = func(b []byte) int64 { return int64(binary.BigEndian.Uint32(b)) }
	case TypeInt64:
		number = func(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }
	default:
		return nil
	}
	list := make([]int64, 0, e.count)
	for b := range slices.Chunk(data, e.typ.width()) {
		list = append(list, number(b))
	}
	return list
}

// Int returns the first number of a tag, and whether there is one.
func (h *Header) Int(tag Tag) (int64, bool) {
	list := h.Ints(tag)
	if len(list) == 0 {
		return 0, false
	}
	return list[0], true
}

// either returns the first number of the first tag that exists, or 0.
func (h *Header) either(tags ...Tag) int64 {
	for _, tag := range tags {
		if n, ok := h.Int(tag); ok {
			return n
		}
	}
	return 0
}

// Bytes returns a copy of a binary value.
func (h *Header) Bytes(tag Tag) []byte {
	e, _ := h.find(tag)
	if e.typ != TypeBinary {
		return nil
	}
	return bytes.Clone(h.value(e))
}

// Size returns the number of bytes that WriteTo writes.
func (h *Header) Size() int64 { return int64(len(h.raw)) }

// WriteTo writes the header byte for byte as it was read: magic, index and data. In
// a package, padding follows the signature header; it is not written.
func (h *Header) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(h.raw)
	return int64(n), err
}

func (h *Header) find(tag Tag) (entry, bool) {
	i, ok := h.index[tag]
	if !ok {
		return entry{}, false
	}
	return h.entries[i], true
}

// data returns everything after the index.
func (h *Header) data() []byte {
	return h.raw[introSize+entrySize*len(h.entries):]
}

func (h *Header) value(e entry) []byte { return h.data()[e.offset:e.end] }
