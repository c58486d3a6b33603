package rpm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The archive of a payload has cpio's form "newc": a header of hexadecimal numbers,
// a name and the content, each padded to 4 bytes. For packages with files of more
// than 4 GiB rpm has another form, in which the header is only the file's number
// in the package (lib/rpmcpio.c).
const (
	cpioMagic       = "070701"
	cpioMagicSum    = "070702"
	cpioMagicNumber = "07070X"
	cpioTrailer     = "TRAILER!!!"
	cpioFields      = 13
	maxPath         = 4096 // PATH_MAX of Linux
)

// cpioReader reads an archive entry by entry.
type cpioReader struct {
	r   *bufio.Reader
	pkg *Package
	// files are those of the header. They are read when an entry first needs them.
	files []File
	// left is the unread part of the current entry, pad the padding after it.
	left int64
	pad  int
	// sum is the sum of the bytes of an entry that has a checksum, which is want.
	checked   bool
	sum, want uint32
	entries   int
}

// next goes to the next entry. It returns a bare io.EOF at the trailer.
func (c *cpioReader) next() (*Entry, error) {
	if err := c.skip(); err != nil {
		return nil, err
	}
	c.entries++
	e, err := c.header()
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", c.entries, truncated(err))
	}
	if e.Name == cpioTrailer {
		if err := c.end(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	c.left, c.pad = e.Size, int(-e.Size&3)
	if e.Mode&modeType == modeLink {
		if e.Linkname, err = c.link(e.Size); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name, truncated(err))
		}
	}
	return e, nil
}

func (c *cpioReader) header() (*Entry, error) {
	var magic [6]byte
	if _, err := io.ReadFull(c.r, magic[:]); err != nil {
		return nil, err
	}
	c.checked, c.sum = string(magic[:]) == cpioMagicSum, 0
	switch string(magic[:]) {
	case cpioMagic, cpioMagicSum:
		return c.full()
	case cpioMagicNumber:
		return c.numbered()
	}
	return nil, fmt.Errorf("magic got %q, want %q", magic, cpioMagic)
}

// full reads the rest of a "newc" header.
func (c *cpioReader) full() (*Entry, error) {
	var text [cpioFields * 8]byte
	if _, err := io.ReadFull(c.r, text[:]); err != nil {
		return nil, err
	}
	var field [cpioFields]int64
	for i := range field {
		n, err := strconv.ParseUint(string(text[i*8:i*8+8]), 16, 32)
		if err != nil {
			return nil, fmt.Errorf("field %d: %q is not a hexadecimal number", i+1, text[i*8:i*8+8])
		}
		field[i] = int64(n)
	}
	e := &Entry{Inode: field[0], Mode: uint32(field[1]), UID: field[2], GID: field[3], Nlink: field[4], Mtime: field[5], Size: field[6],
		Device: [2]int64{field[7], field[8]}, Rdev: [2]int64{field[9], field[10]}}
	c.want = uint32(field[12])
	length := field[11]
	if length < 2 || length > maxPath {
		return nil, fmt.Errorf("name of %d bytes, want 2 to %d", length, maxPath)
	}
	headerSize := int64(len(cpioMagic) + len(text))
	name, err := readFull(c.r, nil, int(length+-(headerSize+length)&3))
	if err != nil {
		return nil, err
	}
	e.Name = string(name[:length-1])
	if strings.IndexByte(string(name), 0) != int(length)-1 || !allZero(name[length:]) {
		return nil, fmt.Errorf("name %q is not terminated at its length", name)
	}
	return e, nil
}

// numbered reads the rest of a header that is only a number.
func (c *cpioReader) numbered() (*Entry, error) {
	var text [8 + 2]byte
	if _, err := io.ReadFull(c.r, text[:]); err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(string(text[:8]), 16, 32)
	if err != nil || !allZero(text[8:]) {
		return nil, fmt.Errorf("file number got %q", text)
	}
	if c.files == nil {
		if c.files, err = c.pkg.Files(); err != nil {
			return nil, err
		}
	}
	if n >= uint64(len(c.files)) {
		return nil, fmt.Errorf("file number %d of %d", n, len(c.files))
	}
	f := c.files[n]
	e := &Entry{Name: f.Path, Mode: f.Mode, Mtime: f.Mtime, Inode: f.Inode, Nlink: int64(f.Nlink)}
	if !c.pkg.IsSource() {
		e.Name = "." + f.Path
	}
	if typ := f.Mode & modeType; (typ == modeRegular || typ == modeLink) && !f.linked {
		e.Size = f.Size
	}
	return e, nil
}

// link reads the target of a symbolic link, which is the content of its entry.
func (c *cpioReader) link(size int64) (string, error) {
	if size == 0 || size >= maxPath {
		return "", fmt.Errorf("link target of %d bytes, want 1 to %d", size, maxPath-1)
	}
	target, err := io.ReadAll(c)
	return string(target), err
}

// Read reads the content of the current entry.
func (c *cpioReader) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	if c.checked {
		for _, x := range b[:n] {
			c.sum += uint32(x)
		}
	}
	if err != nil {
		return n, truncated(err)
	}
	if c.left == 0 && c.checked && c.sum != c.want {
		return n, fmt.Errorf("checksum got %08x, want %08x", c.sum, c.want)
	}
	return n, nil
}

// skip reads the rest of the current entry and its padding.
func (c *cpioReader) skip() error {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	pad := c.pad
	c.pad = 0
	return truncated(readPadding(c.r, pad))
}

// maxPadding is the largest number of zeros after the trailer. cpio(1) fills up a
// block, which has at most 64 KiB.
const maxPadding = 1 << 16

// end reads what follows the trailer, which must be zeros.
func (c *cpioReader) end() error {
	buf := make([]byte, 4096)
	for padding := 0; ; {
		n, err := c.r.Read(buf)
		padding += n
		switch {
		case !allZero(buf[:n]):
			return errors.New("bytes follow the trailer")
		case padding > maxPadding:
			return fmt.Errorf("more than %d zeros follow the trailer", maxPadding)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// truncated returns io.ErrUnexpectedEOF for io.EOF, because the source must not end
// inside of an entry.
func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
