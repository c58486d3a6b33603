package builder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bundleDir is a bundle that is being made: dir, in a hidden folder beside the
// place it will have, which this release alone writes to.
type bundleDir struct {
	dir, to string
	hidden  string
	lock    *os.File
}

// The hidden folder of a bundle NAME is .NAME.part, and the bundle unfinished in it.
const (
	hiddenEnd  = ".part"
	unfinished = "bundle"
)

// openBundle makes the folder, and clears away what killed releases left in it and
// beside it.
func openBundle(to string) (*bundleDir, error) {
	to = filepath.Clean(to)
	fail := func(err error) (*bundleDir, error) { return nil, &OutputError{to, err} }
	if err := replaceable(to); err != nil {
		return fail(err)
	}
	hidden := filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+hiddenEnd)
	clearAbandoned(filepath.Dir(to))
	if err := os.MkdirAll(hidden, 0o777); err != nil {
		return fail(err)
	}
	lock, err := os.Open(hidden)
	if err != nil {
		return fail(err)
	}
	b := &bundleDir{filepath.Join(hidden, unfinished), to, hidden, lock}
	if !b.locked() || !b.same() {
		lock.Close()
		return fail(errors.New("another release is writing there"))
	}
	if err := errors.Join(os.RemoveAll(b.dir), os.Mkdir(b.dir, 0o777)); err != nil {
		b.close()
		return fail(err)
	}
	return b, nil
}

// locked takes the lock. Who only looks whether the folder is abandoned has it for a
// moment.
func (b *bundleDir) locked() bool {
	for range 10 {
		if syscall.Flock(int(b.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// replaceable: there is nothing, an empty folder, or a bundle.
func replaceable(to string) error {
	entries, err := os.ReadDir(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) == 0:
		return nil
	}
	if _, err := os.Stat(filepath.Join(to, ReleaseFile)); err != nil {
		return errors.New("something is there that is no bundle")
	}
	return nil
}

// same: the locked folder has the name still; a release that ended in between
// has removed it.
func (b *bundleDir) same() bool {
	named, err := os.Stat(b.hidden)
	locked, lerr := b.lock.Stat()
	return err == nil && lerr == nil && os.SameFile(named, locked)
}

func (b *bundleDir) path(name string) string { return filepath.Join(b.dir, name) }

// write writes a file; copy copies one from elsewhere.
func (b *bundleDir) write(name string, data []byte) error {
	return os.WriteFile(b.path(name), data, 0o666)
}

func (b *bundleDir) copy(from, name string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(b.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// publish gives all files the bundle's time and their usual modes, and puts the
// bundle in place of the one before.
func (b *bundleDir) publish(at int64) error {
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() {
			mode = 0o755
		}
		return errors.Join(os.Chmod(path, mode), flush(path))
	})
	if err == nil {
		err = b.setTimes(time.Unix(at, 0))
	}
	if err == nil {
		err = b.place()
	}
	if err != nil {
		return &OutputError{b.to, err}
	}
	return nil
}

// flush waits until a file is on the disk.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// setTimes gives everything one time, folders after what is in them.
func (b *bundleDir) setTimes(at time.Time) error {
	var folders []string
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			folders = append(folders, path)
			return nil
		}
		return errors.Join(err, os.Chtimes(path, at, at))
	})
	for i := len(folders) - 1; i >= 0 && err == nil; i-- {
		err = os.Chtimes(folders[i], at, at)
	}
	return err
}

// place renames; where a bundle is there the two change places, at one moment
// where the file system can do that.
func (b *bundleDir) place() error {
	err := os.Rename(b.dir, b.to) // an empty folder gives way
	if err == nil || !errors.Is(err, fs.ErrExist) && !errors.Is(err, syscall.ENOTEMPTY) {
		return err
	}
	err = unix.Renameat2(unix.AT_FDCWD, b.dir, unix.AT_FDCWD, b.to, unix.RENAME_EXCHANGE)
	if err == nil {
		return os.RemoveAll(b.dir)
	}
	old := filepath.Join(b.hidden, "old")
	if err := errors.Join(os.RemoveAll(old), os.Rename(b.to, old)); err != nil {
		return err
	}
	if err := os.Rename(b.dir, b.to); err != nil {
		return errors.Join(fmt.Errorf("putting the bundle in place: %w", err), os.Rename(old, b.to))
	}
	return os.RemoveAll(old)
}

// close removes the hidden folder, with an unfinished bundle in it.
func (b *bundleDir) close() {
	os.RemoveAll(b.hidden)
	b.lock.Close()
}
