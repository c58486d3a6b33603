package rpm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// A header has three parts: an intro (magic, version, four zero bytes, number of
// entries, size of the data), the index and the data.
const (
	introSize = 16
	entrySize = 16
)

var headerMagic = [8]byte{0x8e, 0xad, 0xe8, 1}

// limits are the largest sizes of a header. The values are those of rpm's
// lib/header.c.
type limits struct{ entries, data uint32 }

var (
	signatureLimits = limits{entries: 32, data: 64 << 20}
	headerLimits    = limits{entries: 0xffff, data: 256<<20 - 1}
)

// readHeader reads exactly one header from r. Memory is allocated for bytes that were
// read, not for the size that the intro names.
func readHeader(r io.Reader, region Tag, max limits) (*Header, error) {
	intro, err := readFull(r, nil, introSize)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(intro[:8], headerMagic[:]) {
		return nil, fmt.Errorf("magic got %x, want %x", intro[:8], headerMagic)
	}
	entries, size := binary.BigEndian.Uint32(intro[8:]), binary.BigEndian.Uint32(intro[12:])
	if entries == 0 || entries > max.entries {
		return nil, fmt.Errorf("index of %d entries, want 1 to %d", entries, max.entries)
	}
	if size > max.data {
		return nil, fmt.Errorf("data of %d bytes, want at most %d", size, max.data)
	}
	raw, err := readFull(r, intro, int(entries)*entrySize+int(size))
	if err != nil {
		return nil, err
	}
	return parseHeader(raw, int(entries), region)
}

// readFull appends exactly n bytes of r to buf. It reads in steps, so that memory is
// allocated only for bytes that are there.
func readFull(r io.Reader, buf []byte, n int) ([]byte, error) {
	const step = 1 << 20
	for n > 0 {
		have, part := len(buf), min(n, step)
		buf = append(buf, make([]byte, part)...)
		got, err := io.ReadFull(r, buf[have:])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("truncated: %d of %d bytes: %w", have+got, have+n, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return nil, err
		}
		n -= part
	}
	return buf, nil
}

// parseHeader checks index and data as rpm's hdrblobVerifyInfo does: values lie
// inside the data, aligned, in order, without overlap.
func parseHeader(raw []byte, entries int, region Tag) (*Header, error) {
	h := &Header{raw: raw, entries: make([]entry, entries), index: make(map[Tag]int, entries)}
	data, floor := h.data(), 0
	for i := range h.entries {
		e, err := parseEntry(raw[introSize+i*entrySize:], data)
		if err != nil {
			return nil, fmt.Errorf("tag %d: %w", e.tag, err)
		}
		if _, twice := h.index[e.tag]; twice {
			return nil, fmt.Errorf("tag %d occurs twice in the index", e.tag)
		}
		h.entries[i], h.index[e.tag] = e, i
		if i == 0 && e.tag == region {
			if err := checkRegion(e, data, entries); err != nil {
				return nil, fmt.Errorf("region: %w", err)
			}
			continue
		}
		if e.tag < TagI18nTable {
			return nil, fmt.Errorf("tag %d is not allowed", e.tag)
		}
		if e.offset < floor {
			return nil, fmt.Errorf("tag %d: data at %d overlaps that before, which ends at %d", e.tag, e.offset, floor)
		}
		floor = e.end
	}
	return h, nil
}

func parseEntry(line, data []byte) (entry, error) {
	tag, typ := Tag(binary.BigEndian.Uint32(line)), Type(binary.BigEndian.Uint32(line[4:]))
	offset, count := binary.BigEndian.Uint32(line[8:]), binary.BigEndian.Uint32(line[12:])
	e := entry{tag: tag, typ: typ}
	if typ > TypeI18nString {
		return e, fmt.Errorf("unknown type %d", typ)
	}
	if count == 0 || count > math.MaxInt32 {
		return e, fmt.Errorf("count %d is out of range", count)
	}
	if int64(offset) > int64(len(data)) {
		return e, fmt.Errorf("data at %d, header ends at %d", offset, len(data))
	}
	e.offset, e.count = int(offset), int(count)
	size, err := valueSize(typ, e.count, data[e.offset:])
	if err != nil {
		return e, err
	}
	if w := typ.width(); w > 1 && e.offset%w != 0 {
		return e, fmt.Errorf("data at %d, want a multiple of %d", offset, w)
	}
	e.end = e.offset + size
	return e, nil
}

// valueSize returns the number of bytes that count elements take at the start of
// data, or an error if data ends before.
func valueSize(typ Type, count int, data []byte) (int, error) {
	switch typ {
	case TypeNull:
		return 0, nil
	case TypeString:
		if count != 1 {
			return 0, fmt.Errorf("single text with count %d", count)
		}
	case TypeStringArray, TypeI18nString:
	default:
		size := int64(count) * int64(typ.width())
		if size > int64(len(data)) {
			return 0, fmt.Errorf("%d bytes of data, header ends after %d", size, len(data))
		}
		return int(size), nil
	}
	size := 0
	for i := range count {
		end := bytes.IndexByte(data[size:], 0)
		if end < 0 {
			return 0, fmt.Errorf("text %d of %d is not terminated", i+1, count)
		}
		size += end + 1
	}
	return size, nil
}

// checkRegion checks the first entry of a header that has a region. Its data is a
// trailer in the form of an index entry, which has the region's size as a negative
// offset. A region smaller than the header would leave values outside of every
// digest; rpm does not write such packages.
func checkRegion(e entry, data []byte, entries int) error {
	if e.typ != TypeBinary || e.count != entrySize {
		return fmt.Errorf("type %d, count %d, want %d, %d", e.typ, e.count, TypeBinary, entrySize)
	}
	if e.end != len(data) {
		return fmt.Errorf("ends at %d, data at %d", e.end, len(data))
	}
	line := data[e.offset:e.end]
	tag, typ := Tag(binary.BigEndian.Uint32(line)), Type(binary.BigEndian.Uint32(line[4:]))
	size, count := -int64(int32(binary.BigEndian.Uint32(line[8:]))), binary.BigEndian.Uint32(line[12:])
	known := tag == e.tag || tag == regionImage && e.tag == RegionSignatures
	if !known || typ != TypeBinary || count != entrySize {
		return fmt.Errorf("trailer is tag %d, type %d, count %d", tag, typ, count)
	}
	if size != int64(entries)*entrySize {
		return fmt.Errorf("covers %d bytes of the index, want %d", size, entries*entrySize)
	}
	return nil
}
