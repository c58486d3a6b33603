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

// The hidden folder of NAME is .NAME.part, beside it. It holds the lock, the folder or file
// that is being made, and for a moment the folder that it replaces.
const (
	partEnd = ".part"
	newName = "new"
	oldName = "old"
)

// hidden is a hidden folder that this process has locked.
type hidden struct {
	to, path string // path is the hidden folder of to
	lock     *flock.Flock
	// root makes sure that nothing outside the folder is removed, even if somebody
	// replaces the folder by a symbolic link.
	root *os.Root
}

// hiddenPath returns the path of the hidden folder of a path.
func hiddenPath(to string) string {
	return filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+partEnd)
}

// hide makes the hidden folder of a path, or takes the one that a killed process left, and
// empties it. The caller calls remove. Another process may remove the folder before it is
// locked: hide then makes it again.
func hide(to string) (*hidden, error) {
	var h *hidden
	err := error(fs.ErrNotExist)
	for i := 0; i < attempts && errors.Is(err, fs.ErrNotExist); i++ {
		if err := os.Mkdir(hiddenPath(to), 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		h, err = takeHidden(to, lock)
	}
	if err != nil {
		return nil, err
	}
	if err := h.empty(); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	return h, nil
}

// takeHidden locks the hidden folder of a path.
func takeHidden(to string, lock func(string) (*flock.Flock, error)) (*hidden, error) {
	path := hiddenPath(to)
	if info, err := os.Lstat(path); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", path)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	l, err := lock(filepath.Join(path, lockName))
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	h := &hidden{to, path, l, root}
	if !h.same() {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, fs.ErrNotExist), l.Close(), root.Close())
	}
	return h, nil
}

// same reports whether the path still names the folder that was opened, and the lock is the
// folder's.
func (h *hidden) same() bool {
	named, err := os.Lstat(h.path)
	opened, oerr := h.root.Stat(".")
	file, ferr := h.root.Lstat(lockName)
	locked, lerr := h.lock.Stat()
	return errors.Join(err, oerr, ferr, lerr) == nil && os.SameFile(named, opened) && os.SameFile(file, locked)
}

// empty removes everything but the lock.
func (h *hidden) empty() error {
	if err := h.restore(); err != nil {
		return err
	}
	return errors.Join(h.root.RemoveAll(newName), h.root.RemoveAll(oldName))
}

// restore gives a folder its name back that a process was about to replace when it was
// killed, unless there is a new folder of that name. An error means that the hidden folder
// may have the only copy.
func (h *hidden) restore() error {
	if info, err := h.root.Lstat(oldName); err != nil || !info.IsDir() {
		return nil
	}
	err := os.Rename(filepath.Join(h.path, oldName), h.to)
	if err != nil && exists(h.to) {
		return nil
	}
	return err
}

// remove removes the hidden folder and releases the lock. It removes the file of the lock
// last: until then no other process takes the folder, and if this process is killed, the
// next one recognizes the folder. Another process may take the empty folder before it is
// removed.
func (h *hidden) remove() error {
	err := h.empty()
	if err == nil {
		err = h.root.Remove(lockName)
	}
	if err == nil {
		if err = os.Remove(h.path); errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	return errors.Join(err, h.lock.Close(), h.root.Close())
}

// sweep removes from a folder what killed processes left of Create and WriteFile: hidden
// folders whose lock nobody has. A folder that a killed process was about to replace gets
// its name back. Errors are ignored, because what is left does no harm.
func sweep(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		name, part := strings.CutSuffix(e.Name(), partEnd)
		if name, isHidden := strings.CutPrefix(name, "."); part && isHidden && name != "" && e.IsDir() {
			sweepOne(filepath.Join(parent, name))
		}
	}
}

// sweepOne removes the hidden folder of to, if a killed process left it.
func sweepOne(to string) {
	path := hiddenPath(to)
	info, err := os.Lstat(filepath.Join(path, lockName))
	if errors.Is(err, fs.ErrNotExist) {
		// A process may have been killed before it made the lock, or after it
		// removed it: then the folder is empty. Any other folder is not ours, and
		// os.Remove fails.
		os.Remove(path)
		return
	}
	if err != nil || !info.Mode().IsRegular() {
		return // not ours
	}
	if h, err := takeHidden(to, tryLock); err == nil {
		h.remove()
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
