package rpm

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// Value is a tag with its data, which MakeHeader puts into a header.
type Value struct {
	tag   Tag
	typ   Type
	count int
	data  []byte
}

// Tag returns the value's tag.
func (v Value) Tag() Tag { return v.tag }

// StringValue returns a text.
func StringValue(tag Tag, text string) Value { return textValue(tag, TypeString, []string{text}) }

// StringsValue returns a list of texts.
func StringsValue(tag Tag, list ...string) Value { return textValue(tag, TypeStringArray, list) }

// I18nValue returns a text in the languages of the header's TagI18nTable.
func I18nValue(tag Tag, list ...string) Value { return textValue(tag, TypeI18nString, list) }

func textValue(tag Tag, typ Type, list []string) Value {
	var data []byte
	for _, s := range list {
		data = append(append(data, s...), 0)
	}
	return Value{tag, typ, len(list), data}
}

// Int16Value returns a list of 16-bit numbers.
func Int16Value(tag Tag, list ...uint16) Value {
	var data []byte
	for _, n := range list {
		data = binary.BigEndian.AppendUint16(data, n)
	}
	return Value{tag, TypeInt16, len(list), data}
}

// Int32Value returns a list of 32-bit numbers.
func Int32Value(tag Tag, list ...uint32) Value {
	var data []byte
	for _, n := range list {
		data = binary.BigEndian.AppendUint32(data, n)
	}
	return Value{tag, TypeInt32, len(list), data}
}

// Int64Value returns a list of 64-bit numbers.
func Int64Value(tag Tag, list ...uint64) Value {
	var data []byte
	for _, n := range list {
		data = binary.BigEndian.AppendUint64(data, n)
	}
	return Value{tag, TypeInt64, len(list), data}
}

// BytesValue returns a binary value.
func BytesValue(tag Tag, data []byte) Value {
	return Value{tag, TypeBinary, len(data), bytes.Clone(data)}
}

// Values returns the header's values in their order, without the region.
func (h *Header) Values() []Value {
	var list []Value
	for _, e := range h.entries {
		if e.tag >= TagI18nTable {
			list = append(list, Value{e.tag, e.typ, e.count, bytes.Clone(h.value(e))})
		}
	}
	return list
}

// MakeHeader makes a header with the given region in rpm's layout: values by
// ascending tag, the region's trailer at the end of the data. The result has passed
// the checks of ReadPackage.
func MakeHeader(region Tag, values ...Value) (*Header, error) {
	max := headerLimits
	if region == RegionSignatures {
		max = signatureLimits
	}
	sorted := slices.SortedFunc(slices.Values(values), func(a, b Value) int { return cmp.Compare(a.tag, b.tag) })
	var index, data []byte
	for _, v := range sorted {
		if size, err := valueSize(v.typ, v.count, v.data); err == nil && size != len(v.data) {
			return nil, fmt.Errorf("making header: tag %d: %d surplus bytes", v.tag, len(v.data)-size)
		}
		for w := v.typ.width(); w > 1 && len(data)%w != 0; {
			data = append(data, 0)
		}
		index = appendEntry(index, v.tag, v.typ, len(data), v.count)
		data = append(data, v.data...)
	}
	lines := len(sorted) + 1
	trailer := len(data)
	data = appendEntry(data, region, TypeBinary, -lines*entrySize, entrySize)
	raw := append([]byte(nil), headerMagic[:]...)
	raw = binary.BigEndian.AppendUint32(raw, uint32(lines))
	raw = binary.BigEndian.AppendUint32(raw, uint32(len(data)))
	raw = appendEntry(raw, region, TypeBinary, trailer, entrySize)
	raw = append(append(raw, index...), data...)
	h, err := readHeader(bytes.NewReader(raw), region, max)
	if err != nil {
		return nil, fmt.Errorf("making header: %w", err)
	}
	return h, nil
}

func appendEntry(buf []byte, tag Tag, typ Type, offset, count int) []byte {
	for _, n := range []int{int(tag), int(typ), offset, count} {
		buf = binary.BigEndian.AppendUint32(buf, uint32(n))
	}
	return buf
}
