package builder

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"namibuild/builder/artifact"
)

// The names in an output directory. RPMS, Record and Log belong together and
// are there only after a build that succeeded; FailedLog is the log of the
// last build that did not.
const (
	RPMS      = "RPMS"
	RecordJSN = "build.json"
	Log       = "build.log"
	FailedLog = "failed.log"
	partLog   = ".build.log.part"
	partRPMS  = ".RPMS.part"
	oldRPMS   = ".RPMS.old"
)

// output is an output directory that this build alone writes to.
type output struct {
	dir       string
	log       *os.File
	published bool
	made      bool // by openOutput
}

// openOutput makes the directory, locks it by its unfinished log and clears
// away what a killed build left half done.
func openOutput(dir string) (*output, error) {
	fail := func(err error) (*output, error) { return nil, &OutputError{dir, err} }
	_, err := os.Stat(dir)
	made := errors.Is(err, os.ErrNotExist)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fail(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, partLog), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return fail(err)
	}
	o := &output{dir: dir, log: f, made: made}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil || !o.sameLog() {
		f.Close()
		return fail(errors.New("another build is writing there"))
	}
	if err := errors.Join(f.Truncate(0), os.RemoveAll(o.path(partRPMS)), o.restore()); err != nil {
		f.Close()
		return fail(err)
	}
	return o, nil
}

// sameLog: the locked file has the name still; a build that ended in between
// has renamed it.
func (o *output) sameLog() bool {
	named, err := os.Stat(o.path(partLog))
	locked, lerr := o.log.Stat()
	return err == nil && lerr == nil && os.SameFile(named, locked)
}

func (o *output) path(name string) string { return filepath.Join(o.dir, name) }

// restore brings the former packages back when a build was killed between the
// two renames of publish.
func (o *output) restore() error {
	if _, err := os.Lstat(o.path(RPMS)); err == nil {
		return os.RemoveAll(o.path(oldRPMS))
	}
	if _, err := os.Lstat(o.path(oldRPMS)); err == nil {
		return os.Rename(o.path(oldRPMS), o.path(RPMS))
	}
	return nil
}

// publish puts the checked packages, the log and the record in place of those
// of the build before.
func (o *output) publish(set artifact.Set, record any) (artifact.Set, error) {
	page, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return set, fmt.Errorf("writing the record: %w", err)
	}
	part := o.path(RecordJSN + ".part")
	if err := os.WriteFile(part, append(page, '\n'), 0o666); err != nil {
		os.Remove(part)
		return set, &OutputError{o.dir, err}
	}
	if err := os.Rename(o.path(RPMS), o.path(oldRPMS)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return set, &OutputError{o.dir, err}
	}
	for _, r := range [][2]string{{partRPMS, RPMS}, {RecordJSN + ".part", RecordJSN}, {partLog, Log}} {
		if err := os.Rename(o.path(r[0]), o.path(r[1])); err != nil {
			return set, &OutputError{o.dir, err}
		}
	}
	o.published = true
	os.Remove(o.path(FailedLog))
	set.Dir = o.path(RPMS)
	return set, os.RemoveAll(o.path(oldRPMS))
}

// keepLog puts the log of a build that failed in its place and gives its path.
func (o *output) keepLog() string {
	path := o.path(FailedLog)
	if err := os.Rename(o.path(partLog), path); err != nil {
		return o.path(partLog)
	}
	return path
}

// close gives the directory free; an empty log goes, and the directory with it
// when openOutput made it and there is nothing else in it.
func (o *output) close() {
	defer o.log.Close()
	if o.published {
		return
	}
	if info, err := os.Stat(o.path(partLog)); err == nil && info.Size() > 0 {
		o.keepLog()
	}
	os.Remove(o.path(partLog))
	os.RemoveAll(o.path(partRPMS))
	if o.made {
		os.Remove(o.dir) // only an empty one goes
	}
}
