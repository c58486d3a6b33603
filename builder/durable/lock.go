package durable

import (
	"errors"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// lockName is the name of the lock's file, in the folder that it protects. Its content
// does not matter: the lock is one of the open file, and goes with the process.
const lockName = ".lock"

// lock takes the lock of the file at path, which it makes. A process that only
// looks whether a folder is abandoned holds the lock for a moment, so lock tries for
// half a second before it gives a *BusyError.
func lock(path string) (*flock.Flock, error) {
	for range 10 {
		l := flock.New(path)
		held, err := l.TryLock()
		if err != nil {
			return nil, err
		}
		if held && same(l, path) {
			return l, nil
		}
		if err := l.Close(); err != nil {
			return nil, err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, &BusyError{}
}

// same reports whether the locked file still has its name: a process that ended in
// between may have removed it, and another may have made a new one.
func same(l *flock.Flock, path string) bool {
	named, err := os.Stat(path)
	locked, lerr := l.Stat()
	return err == nil && lerr == nil && os.SameFile(named, locked)
}

// unlock removes the lock's file and gives up the lock. Others that wait for it see
// that the file has lost its name.
func unlock(l *flock.Flock) error {
	err := os.Remove(l.Path())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.Close())
}
