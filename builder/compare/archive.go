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

// field is what an archive says of a member, and why it may differ; without a
// cause it must not.
type field struct {
	name  string
	value string
	cause *Cause
}

// archived is one member of an archive, whatever the archive.
type archived struct {
	name   string
	fields []field
	// open gives its content; the caller calls the function when done.
	open func() (blob, func(), error)
}

// maxMembers bounds what is read of an archive.
const maxMembers = 1 << 20

var errMembers = &brokenError{errors.New("more than a million members")}

// archive makes a comparison of archives out of what lists their members.
func archive(members func(blob) ([]archived, error)) func(*comparer, Place, blob, blob) error {
	return func(c *comparer, p Place, a, b blob) error {
		one, err := members(a)
		if err != nil {
			return err
		}
		two, err := members(b)
		if err != nil {
			return err
		}
		return c.archives(p, one, two)
	}
}

// archives compares two lists of members: which, in what order, their fields,
// their contents.
func (c *comparer) archives(p Place, one, two []archived) error {
	index := map[string][]archived{}
	for _, m := range two {
		index[m.name] = append(index[m.name], m)
	}
	var seqOne, seqTwo []string
	both := map[string]bool{}
	for _, m := range one {
		at := p.in(member + m.name)
		if len(index[m.name]) == 0 {
			c.found.unexplained(at, "there", "not there")
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
			c.found.unexplained(p.in(member+m.name), "not there", "there")
			index[m.name] = rest[1:]
		}
	}
	if len(seqOne) == len(seqTwo) && !slices.Equal(seqOne, seqTwo) {
		c.found.order(p.field("order of members"), seqOne, seqTwo)
	}
	return nil
}

func (c *comparer) members(p Place, a, b archived) error {
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

// fields compares two lists of the same fields.
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

// part opens a member that lies in its archive as it is.
func part(b blob, from, size int64) func() (blob, func(), error) {
	return func() (blob, func(), error) { return b.section(from, size), func() {}, nil }
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// arMembers lists an archive of ar(1): 60 bytes of text before each member.
func arMembers(b blob) ([]archived, error) {
	var all []archived
	for at := int64(8); at < b.size; {
		h, err := b.section(at, 60).bytes()
		if err != nil {
			return nil, err
		}
		if len(h) < 60 || string(h[58:]) != "`\n" {
			return nil, &brokenError{fmt.Errorf("no member of ar at %d", at)}
		}
		text := func(from, to int) string { return strings.TrimSpace(string(h[from:to])) }
		size, err := strconv.ParseInt(text(48, 58), 10, 64)
		if err != nil || size < 0 || size > b.size-at-60 {
			return nil, &brokenError{fmt.Errorf("size %q of a member of ar", h[48:58])}
		}
		all = append(all, archived{text(0, 16), []field{{"ar mtime", text(16, 28), mtimes}, {"ar uid", text(28, 34), user},
			{"ar gid", text(34, 40), user}, {"ar mode", text(40, 48), nil}}, part(b, at+60, size)})
		if len(all) > maxMembers {
			return nil, errMembers
		}
		at += 60 + size + size&1
	}
	return all, nil
}

// tarMembers lists a tar archive.
func tarMembers(b blob) ([]archived, error) {
	var all []archived
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
		all = append(all, archived{h.Name, []field{{"tar mtime", unix(h.ModTime.Unix()), mtimes},
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
func zipMembers(b blob) ([]archived, error) {
	r, err := zip.NewReader(b, b.size)
	if err != nil {
		return nil, &brokenError{err}
	}
	var all []archived
	for _, f := range r.File {
		all = append(all, archived{f.Name, []field{{"zip mtime", unix(f.Modified.Unix()), mtimes}, {"zip mode", f.Mode().String(), nil},
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
