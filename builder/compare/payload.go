package compare

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"namibuild/builder/rpm"
)

// record is one entry of a payload and the digest of its content.
type record struct {
	rpm.Entry
	sum [sha256.Size]byte
}

// path is the file's by the header: without the dot that cpio has in front.
func (r record) path() string { return strings.TrimPrefix(r.Name, ".") }

// records reads a payload to its end.
func (o opened) records() ([]record, error) {
	r, err := o.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all []record
	h := sha256.New()
	for {
		e, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.file.Name(), err)
		}
		if len(all) == len(o.files) {
			return nil, fmt.Errorf("%s: the payload has more files than the header", o.file.Name())
		}
		h.Reset()
		if _, err := io.Copy(h, r); err != nil {
			return nil, fmt.Errorf("%s: %w", o.file.Name(), err)
		}
		all = append(all, record{*e, [sha256.Size]byte(h.Sum(nil))})
	}
}

// open starts on the payload.
func (o opened) open() (*rpm.PayloadReader, error) {
	if _, err := o.file.Seek(o.start, io.SeekStart); err != nil {
		return nil, err
	}
	return o.Payload(bufio.NewReaderSize(o.file, 1<<20))
}

// archived compares the files of two payloads: which, in what order, what cpio
// says of them, what is in them.
func (c *comparer) archived(a, b opened) error {
	one, err := a.records()
	if err != nil {
		return err
	}
	two, err := b.records()
	if err != nil {
		return err
	}
	m := match(one, two)
	var contents []string
	for _, pair := range m.both {
		c.entries(pair[0], pair[1])
		link := pair[0].Linkname != pair[1].Linkname
		if pair[0].sum != pair[1].sum || link {
			c.changed[pair[0].path()] = true
			if !link {
				contents = append(contents, pair[0].Name)
			}
		}
	}
	c.linked(a.files)
	c.found.order(Place{Field: "order of the payload"}, m.names[0], m.names[1])
	if err := c.contents(a, b, contents); err != nil {
		return err
	}
	c.missing(m.only)
	return nil
}

// matches are the entries of two payloads by their names.
type matches struct {
	both [][2]record // in the order of the first
	// names are those that both have, in the order of each; only are the
	// entries that one has.
	names [2][]string
	only  [2][]record
}

func match(one, two []record) matches {
	var m matches
	byName := func(records []record) map[string]record {
		all := map[string]record{}
		for _, r := range records {
			all[r.Name] = r
		}
		return all
	}
	others := [2]map[string]record{byName(two), byName(one)}
	for i, records := range [2][]record{one, two} {
		for _, r := range records {
			o, ok := others[i][r.Name]
			switch {
			case !ok:
				m.only[i] = append(m.only[i], r)
				continue
			case i == 0:
				m.both = append(m.both, [2]record{r, o})
			}
			m.names[i] = append(m.names[i], r.Name)
		}
	}
	return m
}

// linked marks all names of a file that changed: its content stands with one.
func (c *comparer) linked(files []rpm.File) {
	inodes := map[int64]bool{}
	for _, f := range files {
		if f.Nlink > 1 && c.changed[f.Path] {
			inodes[f.Inode] = true
		}
	}
	for _, f := range files {
		if f.Nlink > 1 && inodes[f.Inode] {
			c.changed[f.Path] = true
		}
	}
}

// entries compares what cpio says of a file.
func (c *comparer) entries(a, b record) {
	p := Place{File: a.path()}
	c.fields(p, entryFields(a.Entry), entryFields(b.Entry))
	if a.Linkname != b.Linkname && !c.pieces(p.field("link target"), 0, []byte(a.Linkname), []byte(b.Linkname)) {
		c.found.unexplained(p.field("link target"), a.Linkname, b.Linkname)
	}
}

func entryFields(e rpm.Entry) []field {
	links := field{"cpio links", number(e.Nlink), nil}
	if e.Mode&0o170000 == 0o040000 {
		links.cause = dirSize
	}
	pair := func(n [2]int64) string { return fmt.Sprintf("%d:%d", n[0], n[1]) }
	return []field{{"cpio inode", number(e.Inode), inode}, {"cpio mode", strconv.FormatInt(int64(e.Mode), 8), nil},
		{"cpio owner", pair([2]int64{e.UID, e.GID}), user}, links, {"cpio mtime", unix(e.Mtime), mtimes},
		{"cpio device", pair(e.Device), device}, {"cpio rdev", pair(e.Rdev), nil}}
}

// contents compares the named files of both payloads, a pair at a time.
func (c *comparer) contents(a, b opened, names []string) error {
	one, two := &finder{of: a}, &finder{of: b}
	defer one.close()
	defer two.close()
	var last []string // a checksum of a file comes after the file
	for _, n := range names {
		if isHMAC(nil, n) {
			last = append(last, n)
			continue
		}
		if err := c.one(one, two, n); err != nil {
			return err
		}
	}
	for _, n := range last {
		if err := c.one(one, two, n); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparer) one(a, b *finder, name string) error {
	x, doneX, err := a.find(name)
	if err != nil {
		return err
	}
	defer doneX()
	y, doneY, err := b.find(name)
	if err != nil {
		return err
	}
	defer doneY()
	p := Place{File: strings.TrimPrefix(name, ".")}
	if err := c.content(p, x, y); err != nil {
		return fmt.Errorf("%s: %w", p.File, err)
	}
	return nil
}

// finder takes files out of a payload. Asked for them in the payload's order, it
// reads it once.
type finder struct {
	of opened
	r  *rpm.PayloadReader
}

func (f *finder) close() {
	if f.r != nil {
		f.r.Close()
	}
}

// find gives the content of a file that is in the payload; the caller calls the
// function when done.
func (f *finder) find(name string) (blob, func(), error) {
	for again := f.r == nil; ; again = true {
		if again {
			f.close()
			r, err := f.of.open()
			if err != nil {
				return blob{}, nil, err
			}
			f.r = r
		}
		for {
			e, err := f.r.Next()
			if err == io.EOF && !again {
				break // it stood before: from the start
			}
			if err != nil {
				return blob{}, nil, fmt.Errorf("%s: looking for %s: %w", f.of.file.Name(), name, err)
			}
			if e.Name == name {
				return spool(f.r)
			}
		}
	}
}

// buildIDPath is a link of .build-id, or the folder of some of them.
var buildIDPath = regexp.MustCompile(`/\.build-id/[0-9a-f]{2}(?:$|/)`)

// missing records the files that only one side has. What lies under .build-id is
// named after the build-id of the file that a link leads to.
func (c *comparer) missing(only [2][]record) {
	targets := [2]map[string]record{}
	for i, side := range only {
		targets[i] = map[string]record{}
		for _, r := range side {
			if buildIDPath.MatchString(r.Name) {
				targets[i][r.Linkname] = r // a folder has no target
			}
		}
	}
	for i, side := range only {
		for _, r := range side {
			other, ok := targets[1-i][r.Linkname]
			shown := [2]string{"not there", "not there"}
			shown[i] = "there"
			switch {
			case !ok || !c.ids || !buildIDPath.MatchString(r.Name):
				c.found.unexplained(Place{File: r.path(), Field: "file"}, shown[0], shown[1])
			case i == 0:
				c.found.follows("the build-id", Place{File: r.path(), Field: "name"}, r.path(), other.path())
			}
		}
	}
}
