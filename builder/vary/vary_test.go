package vary

import (
	"fmt"
	"testing"

	"namibuild/builder/plan"
)

func TestInput(t *testing.T) {
	for name, test := range map[string]struct {
		vary Options
		want string
	}{
		"nothing":  {Options{Shuffle: true}, "jobs 2, memory 1, tmpfs 0"},
		"jobs":     {Options{Jobs: 3}, "jobs 3, memory 2, tmpfs 0"},
		"one job":  {Options{Jobs: 1}, "jobs 1, memory 1, tmpfs 0"},
		"tmpfs":    {Options{Tmpfs: 4 << 30}, "jobs 2, memory 5, tmpfs 4"},
		"a volume": {Options{Volume: true}, "jobs 2, memory 1, tmpfs 0"},
	} {
		t.Run(name, func(t *testing.T) {
			in := test.vary.Input(plan.Input{Jobs: 2, MemoryBytes: 1 << 30})
			if got := fmt.Sprintf("jobs %d, memory %d, tmpfs %d", in.Jobs, in.MemoryBytes>>30, in.TmpfsBytes>>30); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestInputWithoutLimit checks that a build without a limit of memory gets none.
func TestInputWithoutLimit(t *testing.T) {
	if in := (Options{Jobs: 9, Tmpfs: 1 << 30}).Input(plan.Input{Jobs: 2}); in.MemoryBytes != 0 {
		t.Errorf("memory %d", in.MemoryBytes)
	}
}
