package builder

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// The names in an output directory. RPMS, SRPMS, the record and the log belong
// together and are there only after a build that succeeded; FailedLog is the
// log of the last build that did not, FailedRPMS the packages of one that did
// not make all that was wanted.
const (
	RPMS       = "RPMS"
	SRPMS      = "SRPMS"
	RecordJSN  = "build.json"
	Log        = "build.log"
	FailedLog  = "failed.log"
	FailedRPMS = "failed.RPMS"

	lockName = ".lock"
	partDir  = ".part" // what a build has made so far
)

// output is an output directory that this build alone writes to.
type output struct {
	dir  string
	lock *os.File
	log  *os.File // in partDir
	made bool     // by openOutput
}

// openOutput makes the directory, locks it, and ends or clears away what a
// killed build left half done, and what killed releases left beside it.
func openOutput(dir string) (*output, error) {
	_, err := os.Stat(dir)
	o := &output{dir: dir, made: errors.Is(err, os.ErrNotExist)}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, &OutputError{dir, err}
	}
	if o.lock, err = lockOutput(dir); err != nil {
		return nil, &OutputError{dir, err}
	}
	clearAbandoned(filepath.Dir(filepath.Clean(dir)))
	err = errors.Join(settle(dir), os.RemoveAll(o.path(partDir)))
	if err == nil {
		err = os.Mkdir(o.path(partDir), 0o777)
	}
	if err == nil {
		o.log, err = os.Create(o.part(Log))
	}
	if err != nil {
		o.lock.Close()
		return nil, &OutputError{dir, err}
	}
	return o, nil
}

// lockOutput locks the directory by a file that goes with the build.
func lockOutput(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil || !sameFile(f, path) { // a build that ended in between has removed it
		f.Close()
		return nil, errors.New("another build is writing there")
	}
	return f, nil
}

func sameFile(f *os.File, path string) bool {
	named, err := os.Stat(path)
	open, ferr := f.Stat()
	return err == nil && ferr == nil && os.SameFile(named, open)
}

func (o *output) path(name string) string { return filepath.Join(o.dir, name) }

// part is where a file or folder of the set that is being made stands.
func (o *output) part(name string) string { return filepath.Join(o.dir, partDir, name) }

// keepRPMS keeps packages that are right and not all that was wanted; it gives
// their folder.
func (o *output) keepRPMS() (string, error) {
	to := o.path(FailedRPMS)
	if err := errors.Join(os.RemoveAll(to), os.Rename(o.part(RPMS), to)); err != nil {
		return "", &OutputError{o.dir, err}
	}
	return to, nil
}

// keepLog puts the log of a build that failed in its place and gives its path.
func (o *output) keepLog() string {
	path := o.path(FailedLog)
	if err := os.Rename(o.part(Log), path); err != nil {
		return o.part(Log)
	}
	return path
}

// close gives the directory free. Of a build that published nothing a log that
// says something stays; the directory goes when openOutput made it and there
// is nothing else in it.
func (o *output) close() {
	defer o.lock.Close()
	o.log.Close()
	if info, err := os.Stat(o.part(Log)); err == nil && info.Size() > 0 {
		o.keepLog()
	}
	os.RemoveAll(o.path(partDir))
	os.Remove(o.path(lockName))
	if o.made {
		os.Remove(o.dir) // only an empty one goes
	}
}
