package builder

import (
	"cmp"
	"fmt"
	"strings"

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

func (v Vary) apply(s *engine.ContainerSpec) {
	s.CPUSet = v.CPUs
	if !v.Shuffle {
		return
	}
	const preload = "LD_PRELOAD="
	for i, variable := range s.Env {
		if strings.HasPrefix(variable, preload) {
			s.Env[i] = variable + ":" + plan.Shuffle
			return
		}
	}
	s.Env = append(s.Env, preload+plan.Shuffle)
}
