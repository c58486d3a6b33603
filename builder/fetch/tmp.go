package fetch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Scratch opens a new file in the store's folder that has no name: it is gone
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

// Dir is a folder in the store that one process works in.
type Dir struct {
	Path string
	lock *os.File
}

// ScratchDir makes an empty folder; the caller removes it. When it was killed
// before, the next Open does.
func (s *Store) ScratchDir() (Dir, error) {
	var d Dir
	err := s.guard(syscall.LOCK_SH, func() (err error) {
		if d.Path, err = os.MkdirTemp(s.tmp(), "dir-*"); err == nil {
			d.lock, err = lockFile(d.Path)
		}
		return err
	})
	if err != nil {
		return Dir{}, fmt.Errorf("making a scratch folder: %w", err)
	}
	return d, nil
}

// Remove removes the folder and what is in it.
func (d Dir) Remove() error { return errors.Join(os.RemoveAll(d.Path), d.lock.Close()) }

// lockFile opens a file or folder and locks it; the lock goes with the process.
func lockFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// guard calls f while it holds a lock on tmp: shared to make a file there and
// lock it, exclusive to look for those that nobody has locked.
func (s *Store) guard(how int, f func() error) error {
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

// sweep removes from tmp what no living process holds a lock on.
func (s *Store) sweep() error {
	return s.guard(syscall.LOCK_EX, func() error {
		entries, err := os.ReadDir(s.tmp())
		for _, e := range entries {
			path := filepath.Join(s.tmp(), e.Name())
			if f, err := lockFile(path); err == nil {
				os.RemoveAll(path)
				f.Close()
			}
		}
		return err
	})
}

func (s *Store) tmp() string { return filepath.Join(s.dir, "tmp") }

// newFile makes a locked file under tmp.
func (s *Store) newFile() (f *os.File, err error) {
	err = s.guard(syscall.LOCK_SH, func() (err error) {
		if f, err = os.CreateTemp(s.tmp(), "new-*"); err == nil {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		}
		return err
	})
	return f, err
}
