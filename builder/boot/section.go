package boot

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
)

// Sizes and places in a 64-bit ELF file (gABI, chapter 4).
const (
	headerSize  = 64
	sectionSize = 64
	placeShoff  = 40 // e_shoff, 8 bytes
	placeShnum  = 60 // e_shnum, e_shstrndx, 2 bytes each
	// in a section's header
	placeName   = 0
	placeOffset = 24
	placeBytes  = 32
	placeLink   = 40
	placeInfo   = 44
	placeAlign  = 48
)

// section is a section's header with what it names.
type section struct {
	index  int
	header []byte
	kind   elf.SectionType
	flags  elf.SectionFlag
	data   []byte
	offset uint64
	align  uint64
}

// cutSection takes a section out of a relocatable 64-bit file, as `objcopy
// --remove-section` does: the sections move up in the order in which they lie,
// each to its alignment, the section headers behind them, and the name goes from
// the table of names. The section stands behind all others but the tables.
func cutSection(file []byte, name string) (rest, cut []byte, err error) {
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return nil, nil, err
	}
	at := slices.IndexFunc(f.Sections, func(s *elf.Section) bool { return s.Name == name })
	if at < 0 || f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB || f.Type != elf.ET_REL {
		return nil, nil, fmt.Errorf("it is no module with a section %s", name)
	}
	names := int(binary.LittleEndian.Uint16(file[placeShnum+2:]))
	all, err := sections(file, f)
	if err != nil {
		return nil, nil, err
	}
	if names >= len(all) || names == at {
		return nil, nil, fmt.Errorf("its table of names is section %d of %d", names, len(all))
	}
	cut = all[at].data
	cutName(all, names, binary.LittleEndian.Uint32(all[at].header), len(name)+1)
	all = slices.Delete(all, at, at+1)
	for _, s := range all {
		s.renumber(at)
	}
	if names > at {
		names--
	}
	return assemble(file[:headerSize], all, names), cut, nil
}

// sections are those of a file; debug/elf has checked that they lie in it.
func sections(file []byte, f *elf.File) ([]*section, error) {
	start := binary.LittleEndian.Uint64(file[placeShoff:])
	var all []*section
	for i, s := range f.Sections {
		h := file[start+uint64(i)*sectionSize:][:sectionSize]
		one := &section{i, bytes.Clone(h), s.Type, s.Flags, nil, s.Offset, max(1, binary.LittleEndian.Uint64(h[placeAlign:]))}
		if one.align > 1<<16 {
			return nil, fmt.Errorf("section %s is aligned to %d", s.Name, one.align)
		}
		if s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL {
			size := binary.LittleEndian.Uint64(h[placeBytes:])
			if s.Offset > uint64(len(file)) || size > uint64(len(file))-s.Offset {
				return nil, fmt.Errorf("section %s lies beyond the end", s.Name)
			}
			one.data = bytes.Clone(file[s.Offset:][:size])
		}
		all = append(all, one)
	}
	return all, nil
}

// cutName takes a name of so many bytes out of the table of names.
func cutName(all []*section, names int, at uint32, size int) {
	table := all[names]
	if uint64(at)+uint64(size) > uint64(len(table.data)) {
		return
	}
	table.data = slices.Delete(table.data, int(at), int(at)+size)
	binary.LittleEndian.PutUint64(table.header[placeBytes:], uint64(len(table.data)))
	for _, s := range all {
		if n := binary.LittleEndian.Uint32(s.header[placeName:]); n > at {
			binary.LittleEndian.PutUint32(s.header[placeName:], n-uint32(size))
		}
	}
}

// renumber mends what a section says of others, when section gone has gone.
// Symbols keep their numbers: none is of the section, and it stands behind
// those that symbols are of.
func (s *section) renumber(gone int) {
	lower := func(place int) {
		if n := binary.LittleEndian.Uint32(s.header[place:]); n > uint32(gone) {
			binary.LittleEndian.PutUint32(s.header[place:], n-1)
		}
	}
	lower(placeLink)
	if s.flags&elf.SHF_INFO_LINK != 0 || s.kind == elf.SHT_REL || s.kind == elf.SHT_RELA {
		lower(placeInfo)
	}
}

// assemble lays the sections out anew, in the order in which they lay.
func assemble(header []byte, all []*section, names int) []byte {
	var b bytes.Buffer
	b.Write(header)
	pad := func(align uint64) { b.Write(make([]byte, -uint64(b.Len())&(align-1))) }
	lying := slices.Clone(all)
	slices.SortStableFunc(lying, func(x, y *section) int { return cmp.Compare(x.offset, y.offset) })
	for _, s := range lying {
		if s.kind == elf.SHT_NULL {
			continue
		}
		pad(s.align)
		binary.LittleEndian.PutUint64(s.header[placeOffset:], uint64(b.Len()))
		b.Write(s.data)
	}
	pad(8)
	start := b.Len()
	for _, s := range all {
		b.Write(s.header)
	}
	out := b.Bytes()
	binary.LittleEndian.PutUint64(out[placeShoff:], uint64(start))
	binary.LittleEndian.PutUint16(out[placeShnum:], uint16(len(all)))
	binary.LittleEndian.PutUint16(out[placeShnum+2:], uint16(names))
	return out
}
