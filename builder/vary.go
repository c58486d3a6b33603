package builder

import (
	"strings"

	"namibuild/builder/engine"
	"namibuild/builder/plan"
)

// Vary is what a build may do otherwise than its plan says without any other
// byte in the packages. It is how a build proves its pins; the rest that must not
// matter (jobs, memory, a topdir on tmpfs) is in the plan.
type Vary struct {
	// Shuffle: directories are read in another order than the file system's.
	Shuffle bool
	// CPUs are the processors that the container may use, as Linux lists them:
	// "0", "0-1"; empty: all.
	CPUs string
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
	return all
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
