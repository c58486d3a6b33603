package compare

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// field is one property of a member of an archive.
type field struct {
	name  string
	value string
	cause *Cause // why it may differ; nil if it must not
}

// archiveMember is one member of an archive of any form.
type archiveMember struct {
	name   string
	fields []field
	// open returns the content; the caller calls the function when done.
	open func() (blob, func(), error)
}

// maxMembers is how many members of an archive are read at most.
const maxMembers = 1 << 20

var errMembers = &brokenError{errors.New("more than a million members")}

// archive returns a comparison of archives, given the function that lists the
// members of one.
func archive(members func(blob) ([]archiveMember, error)) func(*comparer, Place, blob, blob) error {
	return func(c *comparer, p Place, a, b blob) error {
		one, err := members(a)
		if err != nil {
			return err
		}
		two, err := members(b)
		if err != nil {
			return err
		}
		return c.memberLists(p, one, two)
	}
}

// memberLists compares two lists of members: their names and order, then the
// fields and contents of each.
func (c *comparer) memberLists(p Place, one, two []archiveMember) error {
	index := map[string][]archiveMember{}
	for _, m := range two {
		index[m.name] = append(index[m.name], m)
	}
	var seqOne, seqTwo []string
	both := map[string]bool{}
	for _, m := range one {
		at := p.in(member + m.name)
		if len(index[m.name]) == 0 {
			c.found.unexplained(at, exists, missing)
			continue
		}
		other := index[m.name][0]
		index[m.name] = index[m.name][1:]
		both[m.name] = true
		seqOne = append(seqOne, m.name)
		if err := c.members(at, m, other); err != nil {
			return err
		}
	}
	for _, m := range two {
		if both[m.name] {
			seqTwo = append(seqTwo, m.name)
		}
		if rest := index[m.name]; len(rest) > 0 {
			c.found.unexplained(p.in(member+m.name), missing, exists)
			index[m.name] = rest[1:]
		}
	}
	if len(seqOne) == len(seqTwo) && !slices.Equal(seqOne, seqTwo) {
		c.found.order(p.field("order of members"), seqOne, seqTwo)
	}
	return nil
}

// members compares two members of the same name.
func (c *comparer) members(p Place, a, b archiveMember) error {
	c.fields(p, a.fields, b.fields)
	one, doneOne, err := a.open()
	if err != nil {
		return err
	}
	defer doneOne()
	two, doneTwo, err := b.open()
	if err != nil {
		return err
	}
	defer doneTwo()
	return c.content(p, one, two)
}

// fields compares two members field by field.
func (c *comparer) fields(p Place, a, b []field) {
	for i, f := range a {
		switch x, y := f.value, b[i].value; {
		case x == y:
		case f.cause != nil:
			c.found.cause(f.cause, p.field(f.name), x, y)
		default:
			c.found.unexplained(p.field(f.name), x, y)
		}
	}
}

// part returns a function that opens a member which its archive stores unchanged.
func part(b blob, from, size int64) func() (blob, func(), error) {
	return func() (blob, func(), error) { return b.section(from, size), func() {}, nil }
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// arMembers lists an archive of ar(1), which has 60 bytes of text before each
// member.
func arMembers(b blob) ([]archiveMember, error) {
	var all []archiveMember
	for at := int64(8); at < b.size; {
		h, err := b.section(at, 60).bytes()
		if err != nil {
			return nil, err
		}
		if len(h) < 60 || string(h[58:]) != "`\n" {
			return nil, &brokenError{fmt.Errorf("offset %d has no ar member", at)}
		}
		text := func(from, to int) string { return strings.TrimSpace(string(h[from:to])) }
		size, err := strconv.ParseInt(text(48, 58), 10, 64)
		if err != nil || size < 0 || size > b.size-at-60 {
			return nil, &brokenError{fmt.Errorf("an ar member has the size %q", h[48:58])}
		}
		all = append(all, archiveMember{text(0, 16), []field{{"ar mtime", text(16, 28), mtimes}, {"ar uid", text(28, 34), user},
			{"ar gid", text(34, 40), user}, {"ar mode", text(40, 48), nil}}, part(b, at+60, size)})
		if len(all) > maxMembers {
			return nil, errMembers
		}
		at += 60 + size + size&1
	}
	return all, nil
}

// tarMembers lists a tar archive.
func tarMembers(b blob) ([]archiveMember, error) {
	var all []archiveMember
	section := b.all()
	for r := tar.NewReader(section); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, &brokenError{err}
		}
		at, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		all = append(all, archiveMember{h.Name, []field{{"tar mtime", unix(h.ModTime.Unix()), mtimes},
			{"tar owner", fmt.Sprintf("%d:%d %s:%s", h.Uid, h.Gid, h.Uname, h.Gname), user},
			{"tar mode", strconv.FormatInt(h.Mode, 8), nil}, {"tar type", string(h.Typeflag), nil},
			{"tar link", h.Linkname, nil}}, part(b, at, h.Size)})
		if len(all) > maxMembers {
			return nil, errMembers
		}
	}
}

func isTar(head []byte, _ string) bool { return len(head) >= 512 && string(head[257:262]) == "ustar" }

// zipMembers lists a zip archive.
func zipMembers(b blob) ([]archiveMember, error) {
	r, err := zip.NewReader(b, b.size)
	if err != nil {
		return nil, &brokenError{err}
	}
	var all []archiveMember
	for _, f := range r.File {
		all = append(all, archiveMember{f.Name, []field{{"zip mtime", unix(f.Modified.Unix()), mtimes}, {"zip mode", f.Mode().String(), nil},
			{"zip method", strconv.Itoa(int(f.Method)), toolchain}},
			func() (blob, func(), error) {
				content, err := f.Open()
				if err != nil {
					return blob{}, nil, &brokenError{err}
				}
				return readAll(content)
			}})
	}
	return all, nil
}
