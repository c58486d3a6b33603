// Package durable writes files and folders that appear when they are complete.
//
// There are three ways, for three kinds of places:
//
//   - [WriteFile] writes one file.
//   - [Create] makes a folder that is new or takes the place of an older one: a release,
//     a signed copy, what was pulled.
//   - [Open] opens a folder that stays and gets new entries, all of them or none: the
//     output directory of a build, a folder of packages that becomes a repository.
//
// While something is written it has a hidden name in the same file system, and the process
// holds a lock on it. A process that was killed leaves a hidden name without a lock: the
// next process that writes to the same place, or makes a folder beside it, removes that, or
// finishes what the killed one had committed. If two processes write to one place, the
// second one gets a *[BusyError].
//
// Hidden names that are symbolic links are never followed. Content is on the disk before it
// gets its name, so that a loss of power leaves the old content or the new.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Error reports that a place cannot be written to.
type Error struct {
	// Path is the file or folder that should appear.
	Path string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("writing to %s: %v", e.Path, e.reason()) }

// reason returns the cause without a path that the text has already, or that is the hidden
// name of something in it.
func (e *Error) reason() error {
	var file *fs.PathError
	if errors.As(e.Err, &file) && (file.Path == e.Path || isHidden(file.Path)) {
		return file.Err
	}
	var link *os.LinkError
	if errors.As(e.Err, &link) && (isHidden(link.Old) || isHidden(link.New)) {
		return link.Err
	}
	return e.Err
}

// isHidden reports whether a path has a hidden name of this package in it.
func isHidden(path string) bool {
	for part := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if strings.HasPrefix(part, ".") && (strings.HasSuffix(part, partEnd) || part == nextDir || part == placeDir || part == lockName) {
			return true
		}
	}
	return false
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// BusyError reports that another process is writing to the same place.
type BusyError struct{}

func (*BusyError) Error() string { return "another namibuild is writing there" }

// WriteFile writes a file of the given mode, less the umask. It takes the place of a file
// that exists. The error is a *BusyError if another process is writing the same file.
func WriteFile(path string, data []byte, mode os.FileMode) error {
	h, err := hide(path)
	if err != nil {
		return err
	}
	part := filepath.Join(h.path, newName)
	if err = writeNew(part, data, mode); err == nil {
		err = os.Rename(part, path)
	}
	if err == nil {
		err = syncPath(filepath.Dir(path))
	}
	return errors.Join(err, h.remove())
}

// writeNew writes a file to the disk, in the place of one that a killed process left.
// After an error nothing is left of it.
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
