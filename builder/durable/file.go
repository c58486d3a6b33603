// Package durable writes files and folders that appear when they are complete.
//
// There are three ways, for three kinds of places:
//
//   - [WriteFile] writes one file.
//   - [Create] makes a folder that is new or takes the place of an older one: a
//     release, a signed copy, what was pulled.
//   - [Open] opens a folder that stays and gets new entries, all of them or none: the
//     output directory of a build, a folder of packages that becomes a repository.
//
// While something is written it has a hidden name in the same file system, and the
// process holds a lock on it. A process that was killed leaves a hidden name without
// a lock: the next process that writes to the same place, or beside it, removes that,
// or finishes what the killed one had committed. Two processes that write to one place
// do not meet: the second one gets a *[BusyError].
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Error says that a place cannot be written to.
type Error struct {
	// Path is the file or folder that was to appear.
	Path string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("writing to %s: %v", e.Path, e.Err) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// BusyError says that another process is writing to the same place.
type BusyError struct{}

func (*BusyError) Error() string { return "another namibuild is writing there" }

// WriteFile writes a file of the given mode, less the umask. It takes the place of a
// file that exists. What a killed process left half written has a name that the next
// one uses again.
func WriteFile(path string, data []byte, mode os.FileMode) error {
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+partEnd)
	if err := writeNew(part, data, mode); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return nil
}

// writeNew writes a file to the disk, in the place of one that a killed process left.
// Nothing remains of a failure.
func writeNew(path string, data []byte, mode os.FileMode) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
