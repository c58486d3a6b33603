package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
)

func TestDifferences(t *testing.T) {
	a := Plan{Name: "demo", SRPM: SRPM{File: "a.src.rpm", Epoch: 1}, Jobs: 2, Packages: []string{"kernel"},
		Env:  []Var{{"GZIP", "-n", "stamps"}, {"TZ", "UTC", "zones"}},
		Args: []string{"-bb", "--define", "_smp_mflags -j2", "--define", "_buildhost namibuild"},
		Pins: []Pin{{Name: PinClock, Files: []PinFile{{"images/common/pins/clock.c", "0123456789abcdef"}}}, {Name: PinGzip, Off: true}}}
	if diff := Differences(a, a); len(diff) != 0 {
		t.Errorf("a plan differs from itself: %v", diff)
	}
	b := a
	b.SRPM.Epoch, b.Jobs, b.Packages = 2, 3, []string{"kernel", "kernel-devel"}
	b.Source = recipe.Source{Pack: "demo"}
	b.Env = []Var{{"TZ", "UTC", "another reason"}}
	b.Pins = []Pin{{Name: PinClock, Off: true}, {Name: PinGzip, Off: true}}
	b.Args = []string{"-ba", "--define", "_smp_mflags -j3"}
	want := []Difference{
		{"GZIP", "-n", ""}, {"_buildhost", "namibuild", ""}, {"_smp_mflags", "-j2", "-j3"}, {"args", "-bb", "-ba"}, {"jobs", "2", "3"},
		{"packages[1]", "", `"kernel-devel"`}, {"pin clock", "on, clock.c 0123456789ab", "off"}, {"source.pack", "", `"demo"`}, {"srpm.epoch", "1", "2"},
	}
	if diff := cmp.Diff(want, Differences(a, b)); diff != "" {
		t.Error(diff)
	}
}
