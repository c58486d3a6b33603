package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Scratch opens a new file without a name in the store's folder. The file is gone
// when it is closed, however the process ends.
func (s *Store) Scratch() (*os.File, error) {
	f, err := s.newFile()
	if err != nil {
		return nil, fmt.Errorf("opening a scratch file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("opening a scratch file: %w", err), f.Close())
	}
	return f, nil
}

// Dir is a scratch folder in the store for one process.
type Dir struct {
	Path string
	lock *os.File
}

// ScratchDir creates an empty folder. The caller removes it, or the next Open if
// the caller is killed.
func (s *Store) ScratchDir() (Dir, error) {
	var d Dir
	err := s.withLock(syscall.LOCK_SH, func() (err error) {
		if d.Path, err = os.MkdirTemp(s.tmp(), "dir-*"); err == nil {
			d.lock, err = lockFile(d.Path)
		}
		return err
	})
	if err != nil {
		return Dir{}, fmt.Errorf("creating a scratch folder: %w", err)
	}
	return d, nil
}

// Remove removes the folder and its contents.
func (d Dir) Remove() error { return errors.Join(os.RemoveAll(d.Path), d.lock.Close()) }

// lockFile opens a file or folder and locks it. The lock ends with the process. It
// does not follow a symbolic link, and does not wait for the other end of a pipe.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// withLock calls f with a lock on tmp. The lock is shared to create a file and
// lock it, and exclusive to look for unlocked files; so no file is removed between
// its creation and its lock.
func (s *Store) withLock(how int, f func() error) error {
	dir, err := os.Open(s.tmp())
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), how); err != nil {
		return err
	}
	return f()
}

// sweep removes from tmp what no running process has locked.
func (s *Store) sweep() error {
	return s.withLock(syscall.LOCK_EX, func() error {
		entries, err := os.ReadDir(s.tmp())
		for _, e := range entries {
			path := filepath.Join(s.tmp(), e.Name())
			if e.Type()&(fs.ModeSymlink|fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice) != 0 {
				os.Remove(path) // this package makes none
				continue
			}
			if f, err := lockFile(path); err == nil {
				os.RemoveAll(path)
				f.Close()
			}
		}
		return err
	})
}

func (s *Store) tmp() string { return filepath.Join(s.dir, "tmp") }

// newFile creates a locked file in tmp.
func (s *Store) newFile() (f *os.File, err error) {
	err = s.withLock(syscall.LOCK_SH, func() (err error) {
		if f, err = os.CreateTemp(s.tmp(), "new-*"); err == nil {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		}
		return err
	})
	return f, err
}
