package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockName is the name of the lock's file in the folder that it protects. The file is
// empty: the lock belongs to the open file, and ends with the process.
const lockName = ".lock"

// attempts is how often something is tried that other processes can prevent for a moment.
const attempts = 10

// lock takes the lock of the file at path, which it makes. It tries for half a second
// before it returns a *BusyError, because a process that checks whether a folder is
// abandoned has the lock for a moment.
func lock(path string) (*flock.Flock, error) {
	err := error(&BusyError{})
	for i := 0; i < attempts && errors.As(err, new(*BusyError)); i++ {
		if i > 0 {
			time.Sleep(50 * time.Millisecond)
		}
		var l *flock.Flock
		if l, err = tryLock(path); err == nil {
			return l, nil
		}
	}
	return nil, err
}

// tryLock takes the lock of the file at path, which it makes. The error is a *BusyError if
// another process has the lock.
func tryLock(path string) (*flock.Flock, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY|noFollow))
	locked, err := l.TryLock()
	if err == nil && !(locked && same(l, path)) {
		err = &BusyError{}
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// same reports whether the locked file still has its name: in the meantime one process may
// have removed it, and another may have made a new one.
func same(l *flock.Flock, path string) bool {
	named, err := os.Lstat(path)
	locked, lerr := l.Stat()
	return err == nil && lerr == nil && os.SameFile(named, locked)
}

// updating reports whether another process has an Update of the folder open.
func updating(dir string) bool {
	path := filepath.Join(dir, lockName)
	if !exists(path) {
		return false
	}
	l, err := lock(path)
	if err != nil {
		return errors.As(err, new(*BusyError))
	}
	l.Close()
	return false
}

// unlock removes the lock's file and releases the lock. Processes that wait for the lock
// see that the file has lost its name.
func unlock(l *flock.Flock) error {
	err := os.Remove(l.Path())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.Close())
}
