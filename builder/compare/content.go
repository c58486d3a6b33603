package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"namibuild/builder/unpack"
)

// comparer compares the contents of files.
type comparer struct {
	found *list
	// words are names that each side has its own version of, such as its build
	// host.
	words []word
	// since is the earliest time, in seconds since 1970, that a number in a text
	// can be.
	since int64
	// changed holds the paths of files whose contents differ, so that their
	// digests may differ too.
	changed map[string]bool
	// ids says that the build-id of some file differs.
	ids   bool
	depth int // how many containers are open
}

// maxDepth is how deep containers in containers are opened.
const maxDepth = 8

// form is a kind of content that can be opened.
type form struct {
	name string
	// is reports whether content has this form, by its first 1024 bytes and its
	// name.
	is      func(head []byte, name string) bool
	compare func(c *comparer, p Place, a, b blob) error
}

// starts returns a test for content that begins with a magic number.
func starts(magic string) func([]byte, string) bool {
	return func(head []byte, _ string) bool { return bytes.HasPrefix(head, []byte(magic)) }
}

// compressedBy returns a test for content that is compressed in format f.
func compressedBy(f unpack.Format) func([]byte, string) bool {
	return func(head []byte, _ string) bool { return unpack.Detect(head) == f }
}

// forms returns all forms, the more special ones first. It is a function because
// a variable would refer to itself through the comparisons.
func forms() []form {
	return []form{
		{"gzip", compressedBy(unpack.Gzip), (*comparer).gzip},
		{"xz", compressedBy(unpack.XZ), (*comparer).compressed},
		{"zstd", compressedBy(unpack.Zstd), (*comparer).compressed},
		{"bzip2", compressedBy(unpack.Bzip2), (*comparer).compressed},
		{"lzma", compressedBy(unpack.LZMA), (*comparer).compressed},
		{"lz4", compressedBy(unpack.LZ4), (*comparer).compressed},
		{"ELF", starts("\x7fELF"), (*comparer).elf},
		{"ar archive", starts("!<arch>\n"), archive(arMembers)},
		{"cpio archive", starts("070701"), archive(cpioMembers)},
		{"tar archive", isTar, archive(tarMembers)},
		{"zip archive", starts("PK\x03\x04"), archive(zipMembers)},
		{"bzImage", isBzImage, (*comparer).bzImage},
		{"compiled Python", isPyc, (*comparer).pyc},
		{"checksum file", isHMAC, (*comparer).hmac},
	}
}

// content compares two contents, and opens them as deep as their forms are known.
func (c *comparer) content(p Place, a, b blob) error {
	same, err := equal(a, b)
	if err != nil || same {
		return err
	}
	one, err := formOf(p, a)
	if err != nil {
		return err
	}
	two, err := formOf(p, b)
	if err != nil {
		return err
	}
	switch {
	case one.name != two.name:
		c.found.unexplained(p.field("format"), one.name, two.name)
		return nil
	case one.compare == nil || c.depth == maxDepth:
		return c.region(p, a, b)
	}
	before, size := c.found.mark(), c.found.size()
	c.depth++
	err = one.compare(c, p, a, b)
	c.depth--
	broken := (*brokenError)(nil)
	switch {
	case errors.As(err, &broken): // it only begins like that form
		c.found.reset(before)
		return c.region(p, a, b)
	case err == nil && c.found.size() == size: // the parts are equal, but the bytes differ
		return c.region(p, a, b)
	}
	return err
}

// brokenError reports content that does not have the form that its first bytes
// say.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }

// formOf returns the form of the content at p.
func formOf(p Place, b blob) (form, error) {
	head, err := b.head(1024)
	if err != nil {
		return form{}, err
	}
	name := p.File
	if len(p.Inside) > 0 {
		name = strings.TrimPrefix(p.Inside[len(p.Inside)-1], member)
	}
	for _, f := range forms() {
		if f.is(head, name) {
			return f, nil
		}
	}
	return form{name: "data"}, nil
}

// equal reports whether two blobs hold the same bytes.
func equal(a, b blob) (bool, error) {
	if a.size != b.size {
		return false, nil
	}
	_, more, err := spans(a, b, 0)
	return !more, err
}

// compressed compares what two streams unpack to. If that is equal, the
// compressors differ.
func (c *comparer) compressed(p Place, a, b blob) error {
	one, doneOne, err := decompress(a)
	if err != nil {
		return err
	}
	defer doneOne()
	two, doneTwo, err := decompress(b)
	if err != nil {
		return err
	}
	defer doneTwo()
	same, err := equal(one, two)
	if err != nil {
		return err
	}
	if same {
		c.found.cause(toolchain, p.field("compressed form"), fmt.Sprintf("%d bytes", a.size), fmt.Sprintf("%d bytes", b.size))
		return nil
	}
	return c.content(p.in("unpacked"), one, two)
}

// decompress unpacks a blob. The caller calls the function when done.
func decompress(b blob) (blob, func(), error) {
	r, err := unpack.Open(b.all(), maxPlain)
	if err != nil {
		return blob{}, nil, &brokenError{err}
	}
	defer r.Close()
	return spool(r)
}

// isPyc reports whether head is that of byte-compiled Python: a number for its
// version, then CR LF.
func isPyc(head []byte, name string) bool {
	ext := path.Ext(name)
	return (ext == ".pyc" || ext == ".pyo") && len(head) >= 16 && head[2] == '\r' && head[3] == '\n'
}

// pyc compares byte-compiled Python. The time of the source is in bytes 4 to 8 in
// Python 2, and in bytes 8 to 12 behind flags in Python 3 (PEP 552).
func (c *comparer) pyc(p Place, a, b blob) error {
	one, err := a.head(16)
	if err != nil {
		return err
	}
	two, err := b.head(16)
	if err != nil {
		return err
	}
	from := int64(8)
	if one[1] >= 0xf0 || one[1] < 0x0c { // Python 2 has 62211 and less, Python 3 has 3000 and more
		from = 4
	}
	if stamp := one[from : from+4]; !bytes.Equal(stamp, two[from:from+4]) {
		c.found.cause(mtimes, p.field("time of the Python source"), littleEndianTime(stamp), littleEndianTime(two[from:from+4]))
	}
	if err := c.region(p, a.section(0, from), b.section(0, from)); err != nil {
		return err
	}
	return c.region(p.in("code"), a.section(from+4, a.size), b.section(from+4, b.size))
}

var (
	hmacName = regexp.MustCompile(`^(.*/)?\.?([^/]+)\.hmac$`)
	hexSum   = regexp.MustCompile(`\b[0-9a-f]{32,128}\b`)
)

// isHMAC reports whether a file holds the checksum of the file beside it.
func isHMAC(_ []byte, name string) bool { return hmacName.MatchString(name) }

// hmac compares two checksum files. The checksum follows from the file beside it.
func (c *comparer) hmac(p Place, a, b blob) error {
	if a.size > inMemory || b.size > inMemory {
		return c.region(p, a, b)
	}
	one, err := a.bytes()
	if err != nil {
		return err
	}
	two, err := b.bytes()
	if err != nil {
		return err
	}
	target := hmacName.ReplaceAllString(p.File, "$1$2")
	if !c.changed[target] || !bytes.Equal(hexSum.ReplaceAll(one, nil), hexSum.ReplaceAll(two, nil)) {
		return c.region(p, a, b)
	}
	c.found.follows("the content of "+target, p.field("checksum"), string(hexSum.Find(one)), string(hexSum.Find(two)))
	return nil
}

// readAll spools a member of an archive and closes it.
func readAll(r io.ReadCloser) (blob, func(), error) {
	defer r.Close()
	return spool(r)
}
