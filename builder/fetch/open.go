package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// openRegular opens a regular file. It does not wait for the other end of a pipe.
func openRegular(path string, flag int, mode fs.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, flag|syscall.O_NONBLOCK, mode)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errNotRegular}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// openOwn opens a regular file in the store's folders. It does not follow a symbolic
// link, which this package never makes there.
func openOwn(path string, flag int, mode fs.FileMode) (*os.File, error) {
	return openRegular(path, flag|syscall.O_NOFOLLOW, mode)
}

// readOwn reads a small file of the store.
func readOwn(path string) ([]byte, error) {
	f, err := openOwn(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxNote))
}

// maxNote limits the size of a note or value. The preview in the note of a topdir
// holds the diffs of all edited files, and has less than 1 MB.
const maxNote = 64 << 20

// isOwn reports whether an open file belongs to this user.
func isOwn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid()
}

// isPrivate reports whether only this user, and root, can write to an open file. The
// bytes of such a file stay as they were checked, even if another user has the right
// to replace it in its folder.
func isPrivate(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && isOwn(f) && info.Mode().Perm()&0o022 == 0
}

// held returns an open file of the store with its digest. If others can write to
// it, the content is a copy, and f is closed.
func (s *Store) held(f *os.File) (File, error) {
	if isPrivate(f) {
		return digested(f)
	}
	defer f.Close()
	return s.copyOf(f)
}

// digested reads an open file and returns it as a File.
func digested(f *os.File) (File, error) {
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(f, 0, 1<<63-1))
	if err != nil {
		return File{}, errors.Join(fmt.Errorf("reading: %w", err), f.Close())
	}
	return File{Path: f.Name(), SHA256: hex.EncodeToString(h.Sum(nil)), Size: n, content: f}, nil
}

// copyOf returns a copy of r, in a file without a name. The file is in the system's
// folder of temporary files if the store cannot be written to.
func (s *Store) copyOf(r *os.File) (File, error) {
	to, err := s.Scratch()
	if err != nil {
		if to, err = os.CreateTemp("", "namibuild-*"); err == nil {
			err = os.Remove(to.Name())
		}
	}
	if err != nil {
		return File{}, fmt.Errorf("copying: %w", err)
	}
	if _, err := io.Copy(to, io.NewSectionReader(r, 0, 1<<63-1)); err != nil {
		return File{}, errors.Join(fmt.Errorf("copying: %w", err), to.Close())
	}
	f, err := digested(to)
	f.Path = r.Name()
	return f, err
}
