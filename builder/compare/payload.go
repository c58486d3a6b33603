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

// record is one entry of a payload with the digest of its content.
type record struct {
	rpm.Entry
	sum [sha256.Size]byte
}

// path returns the file's path as the header has it, without the dot that cpio
// puts in front.
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

// open returns a reader of the payload.
func (o opened) open() (*rpm.PayloadReader, error) {
	if _, err := o.file.Seek(o.start, io.SeekStart); err != nil {
		return nil, err
	}
	return o.Payload(bufio.NewReaderSize(o.file, 1<<20))
}

// payloadFiles compares the files of two payloads: their names and order, their
// entries in the cpio archive, and their contents.
func (c *comparer) payloadFiles(a, b opened) error {
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
	c.missingFiles(m.only)
	return nil
}

// matches holds the entries of two payloads, matched by name.
type matches struct {
	both [][2]record // in the order of the first payload
	// names are the names that both payloads have, in the order of each; only
	// are the entries that one of them has.
	names [2][]string
	only  [2][]record
}

// match matches the entries of two payloads.
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

// linked marks all hard links of a file that changed. The payload has the content
// under one of the names only.
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

// entries compares the cpio entries of one file.
func (c *comparer) entries(a, b record) {
	p := Place{File: a.path()}
	c.fields(p, entryFields(a.Entry), entryFields(b.Entry))
	if a.Linkname != b.Linkname && !c.pieces(p.field("link target"), 0, []byte(a.Linkname), []byte(b.Linkname)) {
		c.found.unexplained(p.field("link target"), a.Linkname, b.Linkname)
	}
}

// entryFields returns the fields of a cpio entry.
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

// contents compares the named files of both payloads, one pair after the other.
func (c *comparer) contents(a, b opened, names []string) error {
	one, two := &finder{of: a}, &finder{of: b}
	defer one.close()
	defer two.close()
	var last []string // checksum files are compared after the files beside them
	for _, n := range names {
		if isHMAC(nil, n) {
			last = append(last, n)
			continue
		}
		if err := c.fileContent(one, two, n); err != nil {
			return err
		}
	}
	for _, n := range last {
		if err := c.fileContent(one, two, n); err != nil {
			return err
		}
	}
	return nil
}

// fileContent compares the contents of one file.
func (c *comparer) fileContent(a, b *finder, name string) error {
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

// finder takes files out of a payload. It reads the payload once if it is asked
// for the files in the payload's order.
type finder struct {
	of opened
	r  *rpm.PayloadReader
}

func (f *finder) close() {
	if f.r != nil {
		f.r.Close()
	}
}

// find returns the content of a file that the payload has. The caller calls the
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
				break // it is further up: start again
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

// buildIDPath is the form of a link below .build-id, or of a folder of such links.
var buildIDPath = regexp.MustCompile(`/\.build-id/[0-9a-f]{2}(?:$|/)`)

// missingFiles records the files that only one side has. A link below .build-id is
// named after the build-id of the file that it leads to.
func (c *comparer) missingFiles(only [2][]record) {
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
			shown := [2]string{missing, missing}
			shown[i] = exists
			switch {
			case !ok || !c.ids || !buildIDPath.MatchString(r.Name):
				c.found.unexplained(Place{File: r.path(), Field: "file"}, shown[0], shown[1])
			case i == 0:
				c.found.follows("the build-id", Place{File: r.path(), Field: "name"}, r.path(), other.path())
			}
		}
	}
}
