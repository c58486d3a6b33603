package builder

import (
	"errors"
	"os"
	"path/filepath"

	"namibuild/builder/artifact"
	"namibuild/builder/durable"
	"namibuild/builder/set"
)

// output is the output directory of a build. No other build can write to it meanwhile.
type output struct {
	dir    string
	update *durable.Update // the files that are being made
	log    *os.File        // in the update
}

// openOutput opens an output directory. The error is a *durable.Error.
func openOutput(dir string) (*output, error) {
	u, err := durable.Open(dir)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(u.Path(set.LogFile))
	if err != nil {
		return nil, errors.Join(&durable.Error{Path: dir, Err: err}, u.Close())
	}
	return &output{dir, u, log}, nil
}

// path returns the path of a published file or folder.
func (o *output) path(name string) string { return filepath.Join(o.dir, name) }

// part returns the path of a file or folder that is being made.
func (o *output) part(name string) string { return o.update.Path(name) }

// write makes a file.
func (o *output) write(name string, data []byte) error {
	if err := os.WriteFile(o.part(name), data, 0o666); err != nil {
		return &durable.Error{Path: o.dir, Err: err}
	}
	return nil
}

// attach makes a file and returns what the record has of it. It makes no empty file.
func (o *output) attach(name, content string) (set.Attached, error) {
	if content == "" {
		return set.Attached{}, nil
	}
	f := set.Of(name, []byte(content))
	return set.Attached{File: f.Name, Size: f.Size, SHA256: f.SHA256}, o.write(name, []byte(content))
}

// publish replaces the set in the directory by the one that was made, with its record.
// It does so completely or not at all. It returns the packages in their new place.
func (o *output) publish(r set.Record) (artifact.Set, error) {
	page, err := r.JSON()
	if err == nil {
		err = o.write(set.RecordFile, page)
	}
	if err != nil {
		return r.Set, err
	}
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		return r.Set, &durable.Error{Path: o.dir, Err: err}
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err := o.update.Commit(set.Stale(names)...); err != nil {
		return r.Set, err
	}
	r.Set.Dir = o.path(set.RPMS)
	return r.Set, nil
}

// keepRPMS keeps packages that are right, but not what the recipe wants. It returns
// their folder.
func (o *output) keepRPMS() (string, error) {
	to := o.path(set.FailedRPMS)
	if err := errors.Join(os.RemoveAll(to), os.Rename(o.part(set.RPMS), to)); err != nil {
		return "", &durable.Error{Path: o.dir, Err: err}
	}
	return to, nil
}

// keepLog keeps the log of a build that failed. It returns the path of the log.
func (o *output) keepLog() string {
	path := o.path(set.FailedLog)
	if err := os.Rename(o.part(set.LogFile), path); err != nil {
		return o.part(set.LogFile)
	}
	return path
}

// dropLog removes what was logged.
func (o *output) dropLog() error {
	return errors.Join(o.log.Truncate(0), os.RemoveAll(o.path(set.FailedLog)))
}

// close ends the work in the directory. If nothing was published, it keeps the log,
// unless that is empty.
func (o *output) close() {
	o.log.Close()
	if info, err := os.Stat(o.part(set.LogFile)); err == nil && info.Size() > 0 {
		o.keepLog()
	}
	o.update.Close()
}
