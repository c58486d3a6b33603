package builder

import (
	"cmp"
	"fmt"
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

// apply varies a container that begins now.
func (v Vary) apply(s *engine.ContainerSpec, now time.Time) {
	s.CPUSet = v.CPUs
	if v.Shuffle {
		preload(s, plan.Shuffle)
	}
	if v.Days != 0 {
		preload(s, plan.Date)
		// a minute earlier, for the engine's clock may be another
		shift, since := v.moment(now).Sub(now)/time.Second, now.Add(-time.Minute)
		s.Env = append(s.Env, fmt.Sprintf("NAMIBUILD_DATE=%d %d", shift, since.Unix()))
	}
}

// preload puts a library below those that a container's programs have already.
func preload(s *engine.ContainerSpec, library string) {
	const name = "LD_PRELOAD="
	for i, variable := range s.Env {
		if strings.HasPrefix(variable, name) {
			s.Env[i] = variable + ":" + library
			return
		}
	}
	s.Env = append(s.Env, name+library)
}
