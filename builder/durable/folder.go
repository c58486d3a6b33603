package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
)

// The hidden folder of NAME is .NAME.part, beside it. It holds the lock, the folder
// that is being made, and for a moment the one that it replaces.
const (
	partEnd = ".part"
	newName = "new"
	oldName = "old"
)

// Folder is a folder that is being made. It has its name when Publish succeeded.
type Folder struct {
	to, hidden string
	lock       *flock.Flock
}

// Create begins a folder that will stand at path, whose parents it makes. A path where
// nothing or an empty folder is can always be taken; any other folder only when
// replace, which gets the path, returns nil. A nil replace refuses them all.
//
// The errors are of type *Error. The caller calls Close in any case.
func Create(path string, replace func(path string) error) (*Folder, error) {
	to := filepath.Clean(path)
	f, err := create(to, replace)
	if err != nil {
		return nil, &Error{to, err}
	}
	return f, nil
}

func create(to string, replace func(string) error) (*Folder, error) {
	if err := replaceable(to, replace); err != nil {
		return nil, err
	}
	parent := filepath.Dir(to)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return nil, err
	}
	Sweep(parent)
	f := &Folder{to: to, hidden: filepath.Join(parent, "."+filepath.Base(to)+partEnd)}
	if err := f.take(); err != nil {
		return nil, err
	}
	if err := errors.Join(os.RemoveAll(f.Path()), os.Mkdir(f.Path(), 0o777)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// replaceable reports an error unless the folder at path may be replaced.
func replaceable(path string, replace func(string) error) error {
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) == 0:
		return nil
	case replace == nil:
		return errors.New("the folder exists and is not empty")
	}
	return replace(path)
}

// take makes the hidden folder and locks it. Another process may remove the folder
// between the two.
func (f *Folder) take() (err error) {
	for range 3 {
		if err = os.Mkdir(f.hidden, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		f.lock, err = lock(filepath.Join(f.hidden, lockName))
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// Path gives the path of an entry of the folder, before the folder is published.
func (f *Folder) Path(name ...string) string {
	return filepath.Join(append([]string{f.hidden, newName}, name...)...)
}

// Publish waits until every file is on the disk, and puts the folder in its place.
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

// place renames the folder. A folder that stands there and the new one change places,
// in one step where the file system can do that.
func (f *Folder) place() error {
	err := os.Rename(f.Path(), f.to)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		err = swap(f.Path(), f.to, filepath.Join(f.hidden, oldName))
	}
	if err != nil {
		return err
	}
	return syncPath(filepath.Dir(f.to))
}

// swap puts the folder from in the place of the folder to, and removes what stood
// there. old is the path of a folder beside from.
func swap(from, to, old string) error {
	if exchange(from, to) == nil {
		return os.RemoveAll(from)
	}
	return swapInSteps(from, to, old)
}

// swapInSteps is swap on a file system that cannot let two folders change places. A process
// that is killed between the two renames leaves the folder to as old; Sweep brings it back.
func swapInSteps(from, to, old string) error {
	if err := errors.Join(os.RemoveAll(old), os.Rename(to, old)); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return errors.Join(fmt.Errorf("replacing %s: %w", to, err), os.Rename(old, to))
	}
	return os.RemoveAll(old)
}

// Close ends the work on the folder. What was not published is removed.
func (f *Folder) Close() error {
	return errors.Join(os.RemoveAll(f.hidden), f.lock.Close())
}

// Sweep removes from a folder what killed processes left of Create: hidden folders
// that nobody holds the lock of. A folder that a killed process had set aside, to put
// another one in its place, gets its name back. Failures are ignored: what remains
// is in nobody's way.
func Sweep(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		name, part := strings.CutSuffix(e.Name(), partEnd)
		if name, hidden := strings.CutPrefix(name, "."); part && hidden && e.IsDir() {
			sweepOne(filepath.Join(parent, e.Name()), filepath.Join(parent, name))
		}
	}
}

// sweepOne removes the hidden folder of to, if a killed process left it.
func sweepOne(hidden, to string) {
	file := filepath.Join(hidden, lockName)
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return // not ours
	}
	l := flock.New(file)
	if held, err := l.TryLock(); err != nil || !held {
		return
	}
	defer l.Close()
	old := filepath.Join(hidden, oldName)
	if _, err := os.Lstat(old); err == nil {
		if err := os.Rename(old, to); err != nil && !exists(to) {
			return // it may be the only copy
		}
	}
	os.RemoveAll(hidden)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
