package compare

import (
	"namibuild/builder/unpack"

	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
)

// bootImage is a bzImage, divided by its setup header
// (Documentation/arch/x86/boot.rst) into the setup sectors, the code that
// unpacks the kernel, the packed kernel, and what follows it.
type bootImage struct {
	setup []byte
	// payload is the packed kernel. If its compressor is not gzip, kbuild writes
	// its unpacked size behind it in 4 bytes (scripts/Makefile.lib, size_append).
	payload span
	size    span
}

// isBzImage reports whether head is that of a bzImage of boot protocol 2.08 or
// later; earlier ones do not say where the payload is.
func isBzImage(head []byte, _ string) bool {
	return len(head) >= 0x250 && head[0x1fe] == 0x55 && head[0x1ff] == 0xaa && string(head[0x202:0x206]) == "HdrS" &&
		binary.LittleEndian.Uint16(head[0x206:]) >= 0x208
}

// bootOf divides a bzImage.
func bootOf(b blob) (bootImage, error) {
	head, err := b.head(1024)
	if err != nil {
		return bootImage{}, err
	}
	sectors := int64(head[0x1f1])
	if sectors == 0 {
		sectors = 4
	}
	start := (sectors + 1) * 512
	setup, err := b.section(0, start).bytes()
	if err != nil {
		return bootImage{}, err
	}
	from := start + int64(binary.LittleEndian.Uint32(head[0x248:]))
	to := from + int64(binary.LittleEndian.Uint32(head[0x24c:]))
	if int64(len(setup)) < start || to > b.size || from >= to {
		return bootImage{}, &brokenError{errors.New("the payload of the bzImage exceeds its end")}
	}
	if start, err := b.section(from, unpack.HeaderSize).bytes(); err != nil || unpack.Detect(start) == unpack.Gzip {
		return bootImage{setup, span{from, to}, span{to, to}}, err
	}
	return bootImage{setup, span{from, to - 4}, span{to - 4, to}}, nil
}

// code returns the code between the setup and the packed kernel.
func (b bootImage) code() span { return span{int64(len(b.setup)), b.payload.from} }

// bzImage compares the parts of two kernel images.
func (c *comparer) bzImage(p Place, a, b blob) error {
	one, err := bootOf(a)
	if err != nil {
		return err
	}
	two, err := bootOf(b)
	if err != nil {
		return err
	}
	before := c.found.size()
	if err := c.content(p.in("packed kernel"), a.span(one.payload), b.span(two.payload)); err != nil {
		return err
	}
	packed := c.found.size() > before
	if err := c.setup(p.in("setup"), one, two, packed); err != nil {
		return err
	}
	if err := c.region(p.in("boot code"), a.span(one.code()), b.span(two.code())); err != nil {
		return err
	}
	if err := c.derived(p.field("size of the kernel"), "the packed kernel", a.span(one.size), b.span(two.size), packed); err != nil {
		return err
	}
	endOne, endTwo := max(one.size.to, a.size-4), max(two.size.to, b.size-4)
	if err := c.region(p.in("boot data"), a.span(span{one.size.to, endOne}), b.span(span{two.size.to, endTwo})); err != nil {
		return err
	}
	// the last 4 bytes are a CRC of all the others
	return c.derived(p.field("checksum"), "the rest of the image", a.section(endOne, 4), b.section(endTwo, 4), c.found.size() > before)
}

// sizes are the fields of the setup header that depend on the size of the packed
// kernel: syssize, payload_length, init_size.
var sizes = []span{{0x1f4, 0x1f8}, {0x24c, 0x250}, {0x260, 0x264}}

// setup compares the setup sectors. If packed is set, the packed kernels differ,
// and sizes follow from them.
func (c *comparer) setup(p Place, one, two bootImage, packed bool) error {
	a, b := bytes.Clone(one.setup), bytes.Clone(two.setup)
	for _, f := range sizes {
		x, y := a[f.from:f.to], b[f.from:f.to]
		if packed && !bytes.Equal(x, y) {
			c.found.follows("the packed kernel", p.field("sizes"), hex.EncodeToString(x), hex.EncodeToString(y))
			clear(x)
			clear(y)
		}
	}
	return c.region(p, memory(a), memory(b))
}

// memory returns a blob of bytes in memory.
func memory(data []byte) blob { return blob{bytes.NewReader(data), int64(len(data))} }

// derived compares a few bytes that are computed from others; differ says whether
// those differ.
func (c *comparer) derived(p Place, from string, a, b blob, differ bool) error {
	same, err := equal(a, b)
	if err != nil || same {
		return err
	}
	one, err := a.bytes()
	if err != nil {
		return err
	}
	two, err := b.bytes()
	if err != nil {
		return err
	}
	if differ {
		c.found.follows(from, p, hex.EncodeToString(one), hex.EncodeToString(two))
	} else {
		c.found.unexplained(p, hex.EncodeToString(one), hex.EncodeToString(two))
	}
	return nil
}
