package builder

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

// Vary is in what a build differs from its plan. None of it may change a byte in the
// packages: this is how a build shows that its pins work. The plan stays as it is,
// although it has the number of jobs and the place of the topdir.
type Vary struct {
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

// words returns what is varied, in words.
func (v Vary) words() []string {
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

// varied returns the plan that is run in the place of p. Memory grows by a gibibyte
// for each further job, and with the topdir.
func (b *build) varied(p plan.Plan) (plan.Plan, error) {
	v := b.Vary
	if v.Jobs == 0 && v.Tmpfs == 0 && !v.Volume {
		return p, nil
	}
	other := &build{Options: b.Options}
	other.Jobs = cmp.Or(v.Jobs, b.Jobs)
	if v.Tmpfs != 0 || v.Volume {
		other.Tmpfs = v.Tmpfs
	}
	if b.Memory != 0 {
		other.Memory += int64(max(0, other.Jobs-b.Jobs))<<30 + max(0, other.Tmpfs-b.Tmpfs)
	}
	return other.planOf(p.SRPM, p.Insecure)
}

// moment returns a time as the varied build sees it.
func (v Vary) moment(t time.Time) time.Time { return t.AddDate(0, 0, v.Days) }

// DayError reports that the requested day of a build is before its source was made.
type DayError struct{ Day, Made time.Time }

func (e *DayError) Error() string {
	return fmt.Sprintf("varying the date: %s is before the source was made, %s", e.Day.Format(time.DateOnly), e.Made.Format(time.DateOnly))
}

// checkDate returns an error for a day before the source was made. make would take
// all files of the source for newer than what it makes of them, and never end.
func (v Vary) checkDate(p plan.Plan, now time.Time) error {
	made := time.Unix(p.SRPM.Epoch, 0).UTC()
	if day := v.moment(now); v.Days != 0 && day.Before(made) {
		return &DayError{day, made}
	}
	return nil
}

// The libraries of images/vary, by the names that its preload.sh knows.
const (
	shuffleLibrary = "shuffle"
	dateLibrary    = "date"
)

// varyFolder is where the topdir has the sources of those libraries. rpmbuild
// has no folder of that name.
const varyFolder = "VARY"

// libraries are those that a varied build preloads below the pins.
func (v Vary) libraries() []string {
	var all []string
	if v.Shuffle {
		all = append(all, shuffleLibrary)
	}
	if v.Days != 0 {
		all = append(all, dateLibrary)
	}
	return all
}

// apply varies a container that begins now. The builder image holds none of the
// libraries, so that they are no part of its digest: the container compiles
// them, from the files that varyFiles puts into the topdir, before it runs its
// command.
func (v Vary) apply(s *engine.ContainerSpec, now time.Time) {
	s.CPUSet = v.CPUs
	if v.Days != 0 {
		// The engine's clock may be behind this host's: a minute is enough.
		shift, since := v.moment(now).Sub(now)/time.Second, now.Add(-time.Minute)
		s.Env = append(s.Env, fmt.Sprintf("NAMIBUILD_DATE=%d %d", shift, since.Unix()))
	}
	if libraries := v.libraries(); libraries != nil {
		preload := path.Join(s.Topdir, varyFolder, plan.VaryFolder, "preload.sh")
		s.Command = append([]string{"/bin/sh", preload, strings.Join(libraries, " ")}, s.Command...)
	}
}

// varyFiles returns the beginning of a tar, without its end mark: the sources
// of the libraries, which the topdir's tar follows. It is empty if the build
// preloads none.
func (b *build) varyFiles() ([]byte, error) {
	if b.Vary.libraries() == nil {
		return nil, nil
	}
	var tarred bytes.Buffer
	w := tar.NewWriter(&tarred)
	for _, folder := range []string{plan.PinFolder, plan.VaryFolder} {
		err := fs.WalkDir(b.Images, folder, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return addVaryFile(w, b.Images, name, d.IsDir())
		})
		if err != nil {
			return nil, fmt.Errorf("reading the libraries of a varied build: %w", err)
		}
	}
	err := w.Flush()
	return tarred.Bytes(), err
}

// addVaryFile adds a file or folder to a tar, in varyFolder. The folders belong
// to the build's user, who compiles the libraries into one of them.
func addVaryFile(w *tar.Writer, files fs.FS, name string, folder bool) error {
	head := tar.Header{Name: path.Join(varyFolder, name), Mode: 0o644, Uid: 1000, Gid: 1000}
	var data []byte
	if folder {
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
