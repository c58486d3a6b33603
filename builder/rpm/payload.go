package rpm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Types of st_mode.
const (
	modeType    = 0o170000
	modeRegular = 0o100000
	modeLink    = 0o120000
)

// Entry is one file of a payload.
type Entry struct {
	// Name is "./etc/motd", in an SRPM a plain name. It is what the package
	// says: whoever writes files checks it first.
	Name string
	// Mode is the st_mode of Unix, type and permissions.
	Mode uint32
	Size int64
	// Mtime is in seconds since 1970.
	Mtime int64
	// Linkname is the target of a symbolic link; it is not read again.
	Linkname string
	// Inode ties hard links together: of the Nlink entries that share it only
	// the last has content.
	Inode, Nlink int64
	// UID to Rdev are what the archive says besides; nobody unpacks by them. A
	// device is {major, minor}. All are 0 where the archive numbers its files.
	UID, GID     int64
	Device, Rdev [2]int64
}

// PayloadReader reads the files of a payload one after the other. It takes no
// goroutine and bounded memory.
type PayloadReader struct {
	plain   io.ReadCloser
	archive *cpioReader
	err     error
}

// Payload starts on the payload, at the byte where ReadPackage left r, and
// reads it to its end. Digests are not looked at: that is Verify. The caller
// closes the PayloadReader, and r itself.
func (p *Package) Payload(r io.Reader) (*PayloadReader, error) {
	plain, err := decompress(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("reading payload: %w", err)
	}
	return &PayloadReader{plain: plain, archive: &cpioReader{r: bufio.NewReaderSize(plain, 1<<16), pkg: p}}, nil
}

// Next skips what is left of the current file and goes on to the next one. It
// is io.EOF after the last, when the payload ends properly there.
func (r *PayloadReader) Next() (*Entry, error) {
	if r.err != nil {
		return nil, r.err
	}
	e, err := r.archive.next()
	if err != nil {
		r.err = payloadError(err)
		return nil, r.err
	}
	return e, nil
}

// Read reads the content of the current file, io.EOF at its end.
func (r *PayloadReader) Read(b []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.archive.Read(b)
	if err != nil && err != io.EOF { // a bare EOF is the file's end
		r.err = payloadError(err)
		err = r.err
	}
	return n, err
}

// Close frees what decompression holds.
func (r *PayloadReader) Close() error {
	r.err = errors.New("reading payload: closed")
	return r.plain.Close()
}

func payloadError(err error) error {
	if err == io.EOF { // bare: all is read
		return err
	}
	return fmt.Errorf("reading payload: %w", err)
}
