package compare

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// elfFile is an ELF file with its sections by name.
type elfFile struct {
	*elf.File
	blob
	names    []string // in the file's order; the second section of a name is name#2
	sections map[string]*elf.Section
	end      int64 // where the file ends by its headers
}

func openELF(b blob) (elfFile, error) {
	f, err := elf.NewFile(b)
	if err != nil {
		return elfFile{}, &brokenError{err}
	}
	e := elfFile{File: f, blob: b, sections: map[string]*elf.Section{}}
	for _, s := range f.Sections {
		if s.Type == elf.SHT_NULL {
			continue
		}
		name := s.Name
		for n := 2; e.sections[name] != nil; n++ {
			name = fmt.Sprintf("%s#%d", s.Name, n)
		}
		e.names, e.sections[name] = append(e.names, name), s
		if s.Type != elf.SHT_NOBITS {
			e.end = max(e.end, int64(s.Offset+s.FileSize))
		}
	}
	tables, err := e.tables()
	if err != nil {
		return e, err
	}
	for _, t := range tables {
		e.end = max(e.end, t.to)
	}
	return e, nil
}

// content returns the content of a section, empty for one without bytes in the
// file.
func (e elfFile) content(s *elf.Section) blob {
	if s.Type == elf.SHT_NOBITS {
		return blob{bytes.NewReader(nil), 0}
	}
	return e.section(int64(s.Offset), int64(s.FileSize))
}

// elf compares two ELF files: section by section, then what is in no section.
func (c *comparer) elf(p Place, a, b blob) error {
	one, err := openELF(a)
	if err != nil {
		return err
	}
	two, err := openELF(b)
	if err != nil {
		return err
	}
	if len(one.names) == 0 || len(two.names) == 0 {
		return c.region(p, a, b)
	}
	before := c.found.size()
	var ids []string
	for _, name := range one.names {
		if two.sections[name] == nil {
			c.found.unexplained(p.in("section "+name), exists, missing)
			continue
		}
		if isBuildID(name) {
			ids = append(ids, name)
			continue
		}
		if err := c.elfSection(p.in("section "+name), name, one, two); err != nil {
			return err
		}
	}
	for _, name := range two.names {
		if one.sections[name] == nil {
			c.found.unexplained(p.in("section "+name), missing, exists)
		}
	}
	if err := c.outside(p, one, two); err != nil {
		return err
	}
	for _, name := range ids { // last, because it follows from the others
		if err := c.buildID(p.in("section "+name), one.content(one.sections[name]), two.content(two.sections[name]), c.found.size() > before); err != nil {
			return err
		}
	}
	return nil
}

// elfSection compares two sections of one name.
func (c *comparer) elfSection(p Place, name string, one, two elfFile) error {
	s, t := one.sections[name], two.sections[name]
	attributes := func(s *elf.Section) string {
		return fmt.Sprintf("%v %v align %d entries of %d", s.Type, s.Flags, s.Addralign, s.Entsize)
	}
	if attributes(s) != attributes(t) || s.Type == elf.SHT_NOBITS && s.Size != t.Size {
		c.found.unexplained(p.field("attributes"), attributes(s), attributes(t))
	}
	a, b := one.content(s), two.content(t)
	same, err := equal(a, b)
	if err != nil || same {
		return err
	}
	switch {
	case isSignature(name):
		c.found.cause(moduleKey, p, fmt.Sprintf("%d bytes", a.size), fmt.Sprintf("%d bytes", b.size))
		return nil
	case name == ".shstrtab" && !slices.Equal(one.names, two.names):
		c.found.follows("the list of sections", p, fmt.Sprintf("%d bytes", a.size), fmt.Sprintf("%d bytes", b.size))
		return nil
	case name == ".gnu_debuglink":
		return c.debuglink(p, a, b)
	}
	return c.region(p, a, b)
}

// isSignature reports whether a section holds a module's signature. EL6's kernel
// and the demo give it different names.
func isSignature(name string) bool { return name == "module.sig" || name == ".note.module.sig" }

// isBuildID reports whether a section holds the build-id.
func isBuildID(name string) bool { return name == ".note.gnu.build-id" }

// buildID compares two build-ids, the hashes over what was linked. A build-id
// follows from what else differs in the file. If nothing else does (others is
// false), what was stripped since differed.
func (c *comparer) buildID(p Place, a, b blob, others bool) error {
	same, err := equal(a, b)
	if err != nil || same {
		return err
	}
	one, err := noteID(a)
	if err != nil {
		return err
	}
	two, err := noteID(b)
	if err != nil {
		return err
	}
	if len(one) != len(two) || len(one) == 0 {
		return c.region(p, a, b)
	}
	c.ids = true
	c.words = append(c.words, word{follows: "the build-id", a: one, b: two})
	if others {
		c.found.follows("the rest of the file", p, one, two)
	} else {
		c.found.cause(buildID, p, one, two)
	}
	return nil
}

// noteID returns the id of a build-id note in hexadecimal, "" if it has none. A note
// is 12 bytes of sizes and type, "GNU" and a zero, and the id.
func noteID(b blob) (string, error) {
	data, err := b.head(16 + 64)
	if err != nil || len(data) < 24 || string(data[12:16]) != "GNU\x00" {
		return "", err
	}
	return hex.EncodeToString(data[16:]), nil
}

// debuglink compares two sections that name the file with the debug information
// and hold its checksum in the last 4 bytes.
func (c *comparer) debuglink(p Place, a, b blob) error {
	if a.size != b.size || a.size < 4 {
		return c.region(p, a, b)
	}
	same, err := equal(a.section(0, a.size-4), b.section(0, a.size-4))
	if err != nil {
		return err
	}
	if !same {
		return c.region(p, a, b)
	}
	return c.derived(p.field("checksum"), "the debug information, which is in another file", a.section(a.size-4, 4), b.section(b.size-4, 4), true)
}

// outside compares what is in no section: the headers, the padding, and what was
// appended.
func (c *comparer) outside(p Place, one, two elfFile) error {
	head := func(e elfFile) string {
		return fmt.Sprintf("%v %v %v %v version %d", e.Class, e.Data, e.Type, e.Machine, e.Version)
	}
	if head(one) != head(two) {
		c.found.unexplained(p.field("ELF header"), head(one), head(two))
	}
	if err := c.appended(p, one, two); err != nil {
		return err
	}
	if one.sameLayout(two) {
		return c.gaps(p, one, two)
	}
	for _, e := range []elfFile{one, two} { // the tables follow from the sizes, the rest must be zeros
		tables, err := e.tables()
		if err != nil {
			return err
		}
		for _, g := range e.gaps(tables) {
			if empty, err := zeros(e.section(g.from, g.to-g.from)); err != nil || !empty {
				return c.differs(p.in("headers and padding"), g.from, one.blob, two.blob)
			}
		}
	}
	return nil
}

// sameLayout reports whether all sections of two files are at the same places.
func (e elfFile) sameLayout(o elfFile) bool {
	return slices.Equal(e.names, o.names) && e.end == o.end && !slices.ContainsFunc(e.names, func(name string) bool {
		s, t := e.sections[name], o.sections[name]
		return s.Offset != t.Offset || s.FileSize != t.FileSize
	})
}

// gaps compares the bytes outside of all sections of two files of the same
// layout.
func (c *comparer) gaps(p Place, one, two elfFile) error {
	for _, g := range one.gaps(nil) {
		n := g.to - g.from
		if err := c.region(p.in("headers and padding"), one.section(g.from, n), two.section(g.from, n)); err != nil {
			return err
		}
	}
	return nil
}

// gaps returns the parts of the file that are in no section and in none of
// others.
func (e elfFile) gaps(others []span) []span {
	used := slices.Clone(others)
	for _, s := range e.sections {
		if s.Type != elf.SHT_NOBITS {
			used = append(used, span{int64(s.Offset), int64(s.Offset + s.FileSize)})
		}
	}
	slices.SortFunc(used, func(a, b span) int { return int(max(-1, min(1, a.from-b.from))) })
	var all []span
	at := int64(0)
	for _, u := range append(used, span{e.end, e.end}) {
		if u.from > at {
			all = append(all, span{at, u.from})
		}
		at = max(at, u.to)
	}
	return all
}

// zeros reports whether a blob holds only zeros and is no larger than 64 MiB.
func zeros(b blob) (bool, error) {
	if b.size > maxWindow {
		return false, nil
	}
	data, err := b.bytes()
	return len(strings.Trim(string(data), "\x00")) == 0, err
}
