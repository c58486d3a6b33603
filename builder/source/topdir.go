package source

import (
	"archive/tar"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"time"
)

// builderID is the uid and gid of the user in the builder images.
const builderID = 1000

// block is the size of tar's blocks, in bytes.
const block = 512

// topdir writes the tar of a topdir. It does not use one tar.Writer, because the
// size of an edited tarball is known only after its last byte: its header is
// written with size 0 first, and written again at the end.
type topdir struct {
	w     io.WriteSeeker
	buf   *bufio.Writer
	at    int64 // offset of the next byte in w
	epoch time.Time
}

func newTopdir(w io.WriteSeeker, epoch int64) (*topdir, error) {
	at, err := w.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, fmt.Errorf("writing topdir: %w", err)
	}
	t := &topdir{w: w, buf: bufio.NewWriterSize(w, 1<<20), at: at, epoch: time.Unix(epoch, 0)}
	for _, dir := range []string{"BUILD", "BUILDROOT", "RPMS", "SOURCES", "SPECS", "SRPMS"} {
		head, err := header(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: t.epoch})
		if err != nil {
			return nil, err
		}
		if _, err := t.Write(head); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// header returns an entry's header in GNU's format, which has the same number of
// blocks for each size (octal up to 8 GiB, base 256 above).
func header(h *tar.Header) ([]byte, error) {
	h.Uid, h.Gid, h.Format = builderID, builderID, tar.FormatGNU
	var buf bytes.Buffer
	if err := tar.NewWriter(&buf).WriteHeader(h); err != nil {
		return nil, fmt.Errorf("writing topdir: %w", err)
	}
	return buf.Bytes(), nil
}

// Write adds bytes to the stream.
func (t *topdir) Write(b []byte) (int, error) {
	n, err := t.buf.Write(b)
	t.at += int64(n)
	if err != nil {
		err = fmt.Errorf("writing topdir: %w", err)
	}
	return n, err
}

// file adds a file. fill writes its content.
func (t *topdir) file(name string, mode uint32, mtime time.Time, fill func(io.Writer) error) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: plainMode(mode), ModTime: mtime}
	head, err := header(h)
	if err != nil {
		return err
	}
	start := t.at
	if _, err := t.Write(head); err != nil {
		return err
	}
	if err := fill(t); err != nil {
		return err
	}
	h.Size = t.at - start - int64(len(head))
	if err := t.pad(-h.Size & (block - 1)); err != nil {
		return err
	}
	if head, err = header(h); err != nil {
		return err
	}
	return t.rewrite(start, head)
}

// rewrite overwrites the bytes at offset start with head.
func (t *topdir) rewrite(start int64, head []byte) error {
	if err := t.buf.Flush(); err != nil {
		return fmt.Errorf("writing topdir: %w", err)
	}
	if _, err := t.w.Seek(start, io.SeekStart); err != nil {
		return fmt.Errorf("writing topdir: %w", err)
	}
	if _, err := t.w.Write(head); err != nil {
		return fmt.Errorf("writing topdir: %w", err)
	}
	if _, err := t.w.Seek(t.at, io.SeekStart); err != nil {
		return fmt.Errorf("writing topdir: %w", err)
	}
	return nil
}

func (t *topdir) pad(n int64) error {
	_, err := t.Write(make([]byte, n))
	return err
}

// close writes the end of the archive. The writer stays open.
func (t *topdir) close() error {
	if err := t.pad(2 * block); err != nil {
		return err
	}
	if err := t.buf.Flush(); err != nil {
		return fmt.Errorf("writing topdir: %w", err)
	}
	return nil
}

// plainMode returns 0755 for a program and 0644 for any other file.
func plainMode(mode uint32) int64 {
	if mode&0o100 != 0 {
		return 0o755
	}
	return 0o644
}
