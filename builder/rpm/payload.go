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
	// Name is a name such as "./etc/motd", in an SRPM a plain name. It comes from the
	// package: callers that write files must check it first.
	Name string
	// Mode is the st_mode of Unix: type and permissions.
	Mode uint32
	Size int64
	// Mtime is in seconds since 1970.
	Mtime int64
	// Linkname is the target of a symbolic link, which Read does not return again.
	Linkname string
	// Inode is the same for all hard links of a file. Of these Nlink entries only the
	// last has content.
	Inode, Nlink int64
	// UID to Rdev are the other fields of the archive, which rpm ignores. A device is
	// {major, minor}. All are 0 if the archive numbers its files.
	UID, GID     int64
	Device, Rdev [2]int64
}

// PayloadReader reads the files of a payload one after the other. It starts no
// goroutine and needs bounded memory.
type PayloadReader struct {
	plain   io.ReadCloser
	archive *cpioReader
	err     error
}

// Payload returns a reader of the payload's files. r stands where ReadPackage left
// it. Digests are not checked, which Verify does. The caller closes the
// PayloadReader, and also r.
func (p *Package) Payload(r io.Reader) (*PayloadReader, error) {
	plain, err := decompress(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("reading payload: %w", err)
	}
	return &PayloadReader{plain: plain, archive: &cpioReader{r: bufio.NewReaderSize(plain, 1<<16), pkg: p}}, nil
}

// Next skips the rest of the current file and goes to the next one. After the last,
// it returns io.EOF if the payload ends there properly.
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

// Read reads the content of the current file. It returns io.EOF at its end.
func (r *PayloadReader) Read(b []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.archive.Read(b)
	if err != nil && err != io.EOF { // only a bare EOF is the file's end
		r.err = payloadError(err)
		err = r.err
	}
	return n, err
}

// Close frees the memory of the decompressor.
func (r *PayloadReader) Close() error {
	r.err = errors.New("reading payload: closed")
	return r.plain.Close()
}

func payloadError(err error) error {
	if err == io.EOF { // a bare one: everything was read
		return err
	}
	return fmt.Errorf("reading payload: %w", err)
}
