package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUnpinned checks that leaving out a pin takes away what it does, and nothing
// else, and that the plan says so and has another ID.
func TestUnpinned(t *testing.T) {
	full := mustNew(t, demo(), facts())
	text := func(p Plan) string {
		var all []string
		for _, v := range p.Env {
			all = append(all, v.Name+"="+v.Value)
		}
		return p.Hostname + "\n" + strings.Join(append(all, p.Args...), "\n")
	}
	for pin, gone := range map[string][]string{
		PinClock:     {"/usr/lib/namibuild/clock.so:"},
		PinStat:      {"/usr/lib/namibuild/stat.so:"},
		PinOrder:     {":/usr/lib/namibuild/order.so"},
		PinMtimes:    {"--define\n___build_cmd /usr/lib/namibuild/step.sh %{buildroot} %{___build_shell} %{___build_args}\n", "--define\n__arch_install_post /usr/lib/namibuild/mtimes.sh %{buildroot}\n"},
		PinGzip:      {"/usr/lib/namibuild/gzip:"},
		PinKbuild:    {"KBUILD_BUILD_VERSION=1\n", "KBUILD_BUILD_USER=builder\n", "KBUILD_BUILD_HOST=namibuild\n", "KBUILD_BUILD_TIMESTAMP=Fri Jan  3 21:50:12 UTC 2014\n"},
		PinBuildHost: {"namibuild", "--define\n_buildhost namibuild\n"},
		PinRPM:       {"--define\nuse_source_date_epoch_as_buildtime 1\n", "--define\nclamp_mtime_to_source_date_epoch 1\n"},
	} {
		in := facts()
		in.Unpinned = []string{pin}
		p := mustNew(t, demo(), in)
		want := text(full)
		for _, s := range gone {
			if !strings.Contains(want, s) {
				t.Errorf("%s: the plan with it does not have %q", pin, s)
			}
			want = strings.Replace(want, s, "", 1)
		}
		if d := cmp.Diff(want, text(p)); d != "" {
			t.Errorf("without %s: -want +got\n%s", pin, d)
		}
		if p.ID() == full.ID() || !strings.Contains(p.Text(), "OFF") || strings.Contains(full.Text(), "OFF") {
			t.Errorf("without %s: the plan does not say so\n%s", pin, p.Text())
		}
	}
}

func TestUnpinnedAll(t *testing.T) {
	in := facts()
	in.Unpinned = Pins()
	for _, v := range mustNew(t, timewait(), in).Env {
		if v.Name == "LD_PRELOAD" || v.Name == "GZIP" {
			t.Errorf("%s is set", v.Name)
		}
	}
}

func TestPinErrors(t *testing.T) {
	in := facts()
	in.Unpinned = []string{"clock", "clocks"}
	delete(in.Files, "images/common/pins/stat.c")
	_, err := New(timewait(), in)
	const want = `planning timewait: no such pin: "clocks", must be one of clock, stat, order, mtimes, gzip, kbuild, buildhost, rpm
digest of images/common/pins/stat.c is missing, which the pin stat is made of`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
