// Package vary changes the conditions of a build that must not matter: the order of
// directories, the processors, the number of jobs, where the topdir is, the date. A
// build whose pins work makes the same packages under all of them.
package vary

import (
	"archive/tar"
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"namibuild/builder/engine"
	"namibuild/builder/plan"
)

// Options are the conditions in which a build differs from its plan. None of them may
// change a byte in the packages. The plan of the build stays as it is, although it has
// the number of jobs and the place of the topdir.
type Options struct {
	// Shuffle changes the order in which directories are read.
	Shuffle bool
	// CPUs are the processors that the container may use, in Linux's form, such as
	// "0" or "0-1". If it is empty, it may use all.
	CPUs string
	// Jobs is another make -j. 0 is that of the plan.
	Jobs int
	// Tmpfs puts the topdir into memory, with this many bytes, and Volume puts it on
	// a volume, whatever the plan says.
	Tmpfs  int64
	Volume bool
	// Days is the number of days from today to the day on which the build runs. It
	// may be negative.
	Days int
}

// Words returns what is varied, one word for each condition, as --vary takes them.
func (v Options) Words() []string {
	var all []string
	if v.Shuffle {
		all = append(all, "shuffle")
	}
	if v.CPUs != "" {
		all = append(all, "cpus="+v.CPUs)
	}
	if v.Jobs != 0 {
		all = append(all, fmt.Sprintf("jobs=%d", v.Jobs))
	}
	if v.Tmpfs != 0 {
		all = append(all, fmt.Sprintf("tmpfs=%d", v.Tmpfs))
	}
	if v.Volume {
		all = append(all, "volume")
	}
	if v.Days != 0 {
		all = append(all, fmt.Sprintf("date=%d", v.Days))
	}
	return all
}

// Input returns the input of the plan that is run in the place of the plan that in
// makes. Memory grows by a gibibyte for each further job, and with the topdir.
func (v Options) Input(in plan.Input) plan.Input {
	varied := in
	varied.Jobs = cmp.Or(v.Jobs, in.Jobs)
	if v.Tmpfs != 0 || v.Volume {
		varied.TmpfsBytes = v.Tmpfs
	}
	if in.MemoryBytes != 0 {
		varied.MemoryBytes += int64(max(0, varied.Jobs-in.Jobs))<<30 + max(0, varied.TmpfsBytes-in.TmpfsBytes)
	}
	return varied
}

// Moment returns a time as the varied build sees it.
func (v Options) Moment(t time.Time) time.Time { return t.AddDate(0, 0, v.Days) }

// DayError reports that the requested day of a build is before its source was made.
type DayError struct{ Day, Made time.Time }

func (e *DayError) Error() string {
	return fmt.Sprintf("varying the date: %s is before the source was made, %s", e.Day.Format(time.DateOnly), e.Made.Format(time.DateOnly))
}

// CheckDate returns a *DayError for a day before the source of the plan was made. make
// would take all files of the source for newer than what it makes of them, and never
// end. now is today.
func (v Options) CheckDate(p plan.Plan, now time.Time) error {
	made := time.Unix(p.SRPM.Epoch, 0).UTC()
	if day := v.Moment(now); v.Days != 0 && day.Before(made) {
		return &DayError{day, made}
	}
	return nil
}

// The libraries of images/vary, by the names that its preload.sh knows.
const (
	shuffleLibrary = "shuffle"
	dateLibrary    = "date"
)

// folder is where the topdir has the sources of those libraries. rpmbuild has no
// folder of that name.
const folder = "VARY"

// libraries returns the names of those that a varied build preloads below the pins.
func (v Options) libraries() []string {
	var all []string
	if v.Shuffle {
		all = append(all, shuffleLibrary)
	}
	if v.Days != 0 {
		all = append(all, dateLibrary)
	}
	return all
}

// Apply varies a container that begins now. The builder image holds none of the
// libraries, so that they are no part of its digest: the container compiles them, from
// the files that Files puts into the topdir, before it runs its command.
func (v Options) Apply(s *engine.ContainerSpec, now time.Time) {
	s.CPUSet = v.CPUs
	if v.Days != 0 {
		// The engine's clock may be behind this host's: a minute is enough.
		shift, since := v.Moment(now).Sub(now)/time.Second, now.Add(-time.Minute)
		s.Env = append(s.Env, fmt.Sprintf("NAMIBUILD_DATE=%d %d", shift, since.Unix()))
	}
	if libraries := v.libraries(); libraries != nil {
		preload := path.Join(s.Topdir, folder, plan.VaryFolder, "preload.sh")
		s.Command = append([]string{"/bin/sh", preload, strings.Join(libraries, " ")}, s.Command...)
	}
}

// Files returns the beginning of a tar, without its end mark: the sources of the
// libraries, from the image definitions. The topdir's tar follows it. It is empty if
// the build preloads none.
func (v Options) Files(images fs.FS) ([]byte, error) {
	if v.libraries() == nil {
		return nil, nil
	}
	var tarred bytes.Buffer
	w := tar.NewWriter(&tarred)
	for _, dir := range []string{plan.PinFolder, plan.VaryFolder} {
		err := fs.WalkDir(images, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return addFile(w, images, name, d.IsDir())
		})
		if err != nil {
			return nil, fmt.Errorf("reading the libraries of a varied build: %w", err)
		}
	}
	err := w.Flush()
	return tarred.Bytes(), err
}

// addFile adds a file or folder to a tar, in folder. The folders belong to the build's
// user, who compiles the libraries into one of them.
func addFile(w *tar.Writer, files fs.FS, name string, isDir bool) error {
	head := tar.Header{Name: path.Join(folder, name), Mode: 0o644, Uid: 1000, Gid: 1000}
	var data []byte
	if isDir {
		head.Name, head.Mode = head.Name+"/", 0o755
	} else {
		var err error
		if data, err = fs.ReadFile(files, name); err != nil {
			return err
		}
		head.Size = int64(len(data))
	}
	if err := w.WriteHeader(&head); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}
