package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Folder is a folder that is being made. It has its name when Publish succeeded.
type Folder struct {
	to      string
	hidden  *hidden
	replace func(path string) error
}

// Create begins a folder that Publish will put at path. It makes the parents of the path.
// An empty folder at the path is always replaced, another folder only if replace, which
// gets the path, returns nil. A nil replace refuses all of them. replace is called once
// more before the folder is replaced.
//
// The errors are of type *Error. The caller calls Close in any case.
func Create(path string, replace func(path string) error) (*Folder, error) {
	f, err := create(path, replace)
	if err != nil {
		return nil, &Error{filepath.Clean(path), err}
	}
	return f, nil
}

func create(path string, replace func(string) error) (*Folder, error) {
	to, err := named(path)
	if err != nil {
		return nil, err
	}
	parent := filepath.Dir(to)
	sweep(parent)
	if err := replaceable(to, replace); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return nil, err
	}
	h, err := hide(to)
	if err != nil {
		return nil, err
	}
	f := &Folder{to, h, replace}
	err = replaceable(to, replace) // another process may have made it in the meantime
	if err == nil {
		err = os.Mkdir(f.Path(), 0o777)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// named returns a path whose last element is a name, which "." and ".." are not.
func named(path string) (string, error) {
	switch filepath.Base(path) {
	case ".", "..":
		return filepath.Abs(path)
	}
	return filepath.Clean(path), nil
}

// replaceable reports an error unless the folder at path may be replaced.
func replaceable(path string, replace func(string) error) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return errors.New("it exists and is not a folder")
	}
	entries, err := os.ReadDir(path)
	switch {
	case err != nil:
		return err
	case len(entries) == 0:
		return nil
	case replace == nil:
		return errors.New("the folder exists and is not empty")
	case updating(path):
		return &BusyError{}
	}
	return replace(path)
}

// Path returns the path of an entry of the folder, before the folder is published.
func (f *Folder) Path(name ...string) string {
	return filepath.Join(append([]string{f.hidden.path, newName}, name...)...)
}

// Publish waits until every file is on the disk, and then puts the folder in its place.
func (f *Folder) Publish() error {
	err := flush(f.Path())
	if err == nil {
		err = f.place()
	}
	if err != nil {
		return &Error{f.to, err}
	}
	return nil
}

// flush waits until every file and folder below dir is on the disk.
func flush(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		return syncPath(path)
	})
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// place renames the folder. If there is a folder in its place, the two change places, in
// one step if the file system supports that.
func (f *Folder) place() error {
	err := os.Rename(f.Path(), f.to)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		if err := replaceable(f.to, f.replace); err != nil {
			return err
		}
		err = swap(f.Path(), f.to, filepath.Join(f.hidden.path, oldName))
	}
	if err != nil {
		return err
	}
	return syncPath(filepath.Dir(f.to))
}

// swap puts the folder from in the place of the folder to, which moves to the path from or
// old. Close removes it there.
func swap(from, to, old string) error {
	if exchange(from, to) == nil {
		return nil
	}
	return swapInSteps(from, to, old)
}

// swapInSteps does what swap does on a file system that cannot exchange two folders. If
// the process is killed between the two renames, sweep later gives the folder old its
// name back.
func swapInSteps(from, to, old string) error {
	if err := errors.Join(os.RemoveAll(old), os.Rename(to, old)); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return errors.Join(fmt.Errorf("replacing %s: %w", to, err), os.Rename(old, to))
	}
	return os.RemoveAll(old)
}

// Close ends the work on the folder, and removes it if it was not published.
func (f *Folder) Close() error { return f.hidden.remove() }
