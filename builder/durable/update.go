package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
)

// An update collects its entries in updateDir. Renaming updateDir to nextDir commits it.
// From then on every process that opens the folder completes the update: it removes the
// stale entries, renames nextDir to placeDir, and moves every entry of placeDir to its
// place.
const (
	updateDir = ".part"
	nextDir   = ".next"
	placeDir  = ".placing"
	// staleName is a file of nextDir that lists the entries which the update removes,
	// one in each line.
	staleName = ".stale"
)

// Update is a change of a folder: entries that appear together.
type Update struct {
	dir  string
	lock *flock.Flock
	made bool // Open made the folder
}

// Open begins an update of a folder, which it makes if it does not exist. It completes or
// removes what a killed process left in the folder, and removes what killed processes left
// beside it.
//
// The errors are of type *Error. The caller calls Close in any case.
func Open(dir string) (*Update, error) {
	u, err := open(filepath.Clean(dir))
	if err != nil {
		return nil, &Error{dir, err}
	}
	return u, nil
}

func open(dir string) (*Update, error) {
	u := &Update{dir: dir}
	err := error(os.ErrNotExist)
	for i := 0; i < attempts && errors.Is(err, os.ErrNotExist); i++ { // Close of another process may remove it
		u.made = !exists(dir)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, err
		}
		u.lock, err = lock(u.inDir(lockName))
	}
	if err != nil {
		return nil, err
	}
	sweep(filepath.Dir(dir))
	err = errors.Join(settle(dir), os.RemoveAll(u.Path()))
	if err == nil {
		err = os.Mkdir(u.Path(), 0o777)
	}
	if err != nil {
		return nil, errors.Join(err, u.lock.Close())
	}
	return u, nil
}

// inDir returns the path of an entry of the folder itself.
func (u *Update) inDir(name string) string { return filepath.Join(u.dir, name) }

// Path returns the path of an entry of the update, before it is committed.
func (u *Update) Path(name ...string) string {
	return filepath.Join(append([]string{u.dir, updateDir}, name...)...)
}

// Commit puts the entries of the update into the folder, where they replace those of the
// same names, and removes the stale entries. If the process is killed, or an error
// occurs, the folder has either all of the change or nothing of it after it was opened
// again.
func (u *Update) Commit(stale ...string) error {
	err := flush(u.Path())
	if err == nil && len(stale) > 0 {
		err = writeNew(u.Path(staleName), []byte(strings.Join(stale, "\n")+"\n"), 0o666)
	}
	if err == nil {
		err = os.Rename(u.Path(), u.inDir(nextDir))
	}
	if err == nil {
		err = syncPath(u.dir)
	}
	if err == nil {
		err = settle(u.dir)
	}
	if err != nil {
		return &Error{u.dir, err}
	}
	return nil
}

// Close ends the update. It removes what was not committed, and the folder if Open made
// it and it is empty.
func (u *Update) Close() error {
	err := errors.Join(os.RemoveAll(u.Path()), unlock(u.lock))
	if u.made {
		os.Remove(u.dir) // fails if the folder is not empty
	}
	return err
}

// settle completes a committed update, from wherever a killed process stopped doing so. It
// does nothing if there is none.
func settle(dir string) error {
	next, place := filepath.Join(dir, nextDir), filepath.Join(dir, placeDir)
	entries, err := readFolder(next)
	if err == nil {
		err = removeStale(dir, entries)
	}
	if err == nil {
		err = os.Rename(next, place)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	entries, err = readFolder(place)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := replaceEntry(filepath.Join(place, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return errors.Join(os.Remove(place), syncPath(dir))
}

// readFolder is os.ReadDir, but follows no symbolic link: settle moves what it finds.
func readFolder(path string) ([]os.DirEntry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", path)
	}
	return os.ReadDir(path)
}

// replaceEntry moves an entry into its place.
func replaceEntry(from, to string) error {
	if filepath.Base(from) == staleName {
		return os.Remove(from)
	}
	return errors.Join(os.RemoveAll(to), os.Rename(from, to))
}

// removeStale removes the stale entries of an update, unless the update has new entries
// of the same names.
func removeStale(dir string, entries []os.DirEntry) error {
	list, err := os.ReadFile(filepath.Join(dir, nextDir, staleName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	failed := []error{err}
	for _, name := range strings.Split(strings.TrimSpace(string(list)), "\n") {
		fresh := slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == name })
		if !fresh && isName(name) {
			failed = append(failed, os.RemoveAll(filepath.Join(dir, name)))
		}
	}
	return errors.Join(failed...)
}

// isName reports whether a string can be the name of an entry of a folder.
func isName(s string) bool {
	return s != "." && filepath.IsLocal(s) && !strings.ContainsRune(s, filepath.Separator)
}
