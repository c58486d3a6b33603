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

// Vary is what a build may do otherwise than its plan says without any other
// byte in the packages. It is how a build proves its pins. The plan stays as it
// is, also where it says what is varied: jobs, and where the topdir lies.
type Vary struct {
	// Shuffle: directories are read in another order than the file system's.
	Shuffle bool
	// CPUs are the processors that the container may use, as Linux lists them:
	// "0", "0-1"; empty: all.
	CPUs string
	// Jobs is another make -j; 0: the plan's.
	Jobs int
	// Tmpfs puts the topdir into memory, with this many bytes, Volume on a
	// volume, whatever the plan says.
	Tmpfs  int64
	Volume bool
	// Days from today is the day that the build takes it to be; 0: today.
	Days int
}

// words say what is varied.
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

// varied is the plan that is carried out in the place of the one that stands.
// Memory grows with the jobs, a gibibyte each, and with the topdir.
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

// moment is what a build takes a moment to be.
func (v Vary) moment(t time.Time) time.Time { return t.AddDate(0, 0, v.Days) }

// DayError says that a build cannot be on the day that was asked for.
type DayError struct{ Day, Made time.Time }

func (e *DayError) Error() string {
	return fmt.Sprintf("varying the date: %s is before the source was made, %s", e.Day.Format(time.DateOnly), e.Made.Format(time.DateOnly))
}

// checkDate refuses a day before the source was there: make would take every
// file of it to be newer than what it makes, for ever.
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
