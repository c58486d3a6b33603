package compare

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// tables returns the parts of an ELF file that say where the others are: the
// header, the program headers and the section headers.
func (e elfFile) tables() ([]span, error) {
	head, err := e.head(64)
	if err != nil {
		return nil, err
	}
	table := func(offset uint64, size, count uint16) span {
		return span{int64(offset), int64(offset) + int64(size)*int64(count)}
	}
	if e.Class == elf.ELFCLASS64 {
		var h elf.Header64
		if err := binary.Read(bytes.NewReader(head), e.ByteOrder, &h); err != nil {
			return nil, &brokenError{err}
		}
		return []span{{0, int64(h.Ehsize)}, table(h.Phoff, h.Phentsize, h.Phnum), table(h.Shoff, h.Shentsize, h.Shnum)}, nil
	}
	var h elf.Header32
	if err := binary.Read(bytes.NewReader(head), e.ByteOrder, &h); err != nil {
		return nil, &brokenError{err}
	}
	return []span{{0, int64(h.Ehsize)}, table(uint64(h.Phoff), h.Phentsize, h.Phnum), table(uint64(h.Shoff), h.Shentsize, h.Shnum)}, nil
}

// Kbuild appends to a module its signature, 12 bytes whose last four hold the
// signature's size, and this line (include/linux/module_signature.h).
const (
	signatureLine = "~Module signature appended~\n"
	signatureInfo = 12
)

// appended compares what follows the ends of two ELF files.
func (c *comparer) appended(p Place, one, two elfFile) error {
	a, b := one.section(one.end, one.size), two.section(two.end, two.size)
	same, err := equal(a, b)
	if err != nil || same {
		return err
	}
	x, err := signatureSize(a)
	if err != nil {
		return err
	}
	y, err := signatureSize(b)
	if err != nil {
		return err
	}
	if x == 0 || y == 0 || a.size-x != b.size-y {
		return c.region(p.in("appended"), a, b)
	}
	c.found.cause(moduleKey, p.in("appended module signature"), fmt.Sprintf("%d bytes", x), fmt.Sprintf("%d bytes", y))
	return c.region(p.in("appended"), a.section(0, a.size-x), b.section(0, b.size-y))
}

// signatureSize returns how many bytes an appended signature takes with all that
// belongs to it, 0 if there is none.
func signatureSize(b blob) (int64, error) {
	const tail = signatureInfo + len(signatureLine)
	end, err := b.section(b.size-int64(tail), int64(tail)).bytes()
	if err != nil || len(end) < tail || !bytes.HasSuffix(end, []byte(signatureLine)) {
		return 0, err
	}
	n := int64(binary.BigEndian.Uint32(end[signatureInfo-4:])) + int64(tail)
	if n > b.size {
		return 0, nil
	}
	return n, nil
}
