package boot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/set"

	"github.com/google/go-cmp/cmp"
)

// printing is a machine whose guest prints this text in small pieces.
type printing string

func (s printing) Run(_ context.Context, _ Guest, serial io.Writer) error {
	for i := 0; i < len(s); i += 7 {
		if _, err := serial.Write([]byte(s[i:min(i+7, len(s))])); err != nil {
			return err
		}
	}
	return nil
}

func (printing) Accel() Accel   { return TCG }
func (printing) String() string { return "a machine of a test" }

const goodRun = "[    0.1] Linux version 6.1\r\n" +
	"[    0.2] @namibuild fin-timeout 5\r\n" +
	"[    0.3] @namibuild sample 0 0 0 0\r\n" +
	"[    1.3] @namibuild sample 1000 25 25 0\r\n" +
	"[    2.3] @namibuild sample 2000 50 50 3\r\n" +
	"[   20.3] @namibuild sustained 1000 10008\r\n" +
	"[   20.4] @namibuild end\r\n"

func trialOf(text string, told *[]Sample) Trial {
	return Trial{Kernel: Kernel{Release: "6.1-x"}, Machine: printing(text), Traffic: Traffic{500, 25, 2},
		Tell: func(s Sample) { *told = append(*told, s) }}
}

func TestMeasure(t *testing.T) {
	var told []Sample
	got, err := Measure(t.Context(), trialOf(goodRun, &told))
	if err != nil {
		t.Fatal(err)
	}
	samples := []Sample{{0, 0, 0, 0}, {1, 25, 25, 0}, {2, 50, 50, 3}}
	want := Course{Release: "6.1-x", TimeWait: 5, Samples: samples, Possible: 100, Sustained: 1000.0 / 10.008}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if d := cmp.Diff(samples, told); d != "" {
		t.Errorf("told: -want +got\n%s", d)
	}
	if got.FirstFailure() != 2 || got.Last() != samples[2] {
		t.Errorf("first failure %d, last %v", got.FirstFailure(), got.Last())
	}
}

func TestMeasureThatFails(t *testing.T) {
	var told []Sample
	for name, c := range map[string]struct{ text, want string }{
		"no end":    {strings.Replace(goodRun, "@namibuild end", "", 1), "measuring 6.1-x: the kernel restarted before the traffic had ended"},
		"no sample": {strings.Replace(goodRun, "sample 2000 50 50 3", "sample 2000 x", 1), "measuring 6.1-x: the kernel restarted before the traffic had ended"},
		"cannot":    {goodRun + "@namibuild cannot connecting 101\n", "measuring 6.1-x: connecting: network is unreachable"},
		"panic":     {"[ 1.0] Kernel panic - not syncing: no init\n", "measuring 6.1-x: the run ended with panic"},
		"nothing":   {"", "measuring 6.1-x: the kernel restarted before the traffic had ended"},
	} {
		_, err := Measure(t.Context(), trialOf(c.text, &told))
		var no *NoCourseError
		if !errors.As(err, &no) || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	trial := trialOf(goodRun, &told)
	trial.Kernel.Config = Config{"INET": "y"}
	var lacks *OptionsError
	if _, err := Measure(t.Context(), trial); !errors.As(err, &lacks) || !strings.Contains(err.Error(), "CONFIG_NET=y") || strings.Contains(err.Error(), "CONFIG_INET=y") {
		t.Errorf("got %v", err)
	}
}

func TestTrafficCheck(t *testing.T) {
	if err := (Traffic{500, 25, 150}).Check(); err != nil {
		t.Error(err)
	}
	const want = "9 ports: must be 10 to 40000\n0 connects a second: must be 1 to 1000\n4000 seconds: must be 1 to 3600"
	if err := (Traffic{9, 0, 4000}).Check(); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func FuzzCourse(f *testing.F) {
	f.Add([]byte(goodRun))
	f.Fuzz(func(t *testing.T, text []byte) {
		var told []Sample
		c, err := readCourse(trialOf("", &told), Run{Reset, text})
		if err == nil && (c.TimeWait < 1 || len(c.Samples) != 3 || c.Sustained < 0) {
			t.Errorf("%+v", c)
		}
	})
}

func report() Report {
	course := func(release string, wait, most, failed int64) Course {
		c := Course{Release: release, TimeWait: int(wait), Possible: 500 / float64(wait), Sustained: 499 / float64(wait)}
		for s := range int64(11) {
			c.Samples = append(c.Samples, Sample{s, min(25*s, most), 25 * s, failed * s})
		}
		return c
	}
	return Report{Traffic: Traffic{500, 25, 10}, Stock: course("6.1-stock", 60, 200, 7), Patched: course("6.1-patched", 5, 125, 0), Machine: "a tale"}
}

// TestReport checks that equal reports make equal files, and that the chart has
// its title and legend.
func TestReport(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	if err := errors.Join(report().Write(a), report().Write(b)); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range []string{set.BenchFile, set.BenchCSV, set.BenchSVG, set.BenchPNG} {
		one, err := os.ReadFile(filepath.Join(a, name))
		other, oerr := os.ReadFile(filepath.Join(b, name))
		if err != nil || oerr != nil || !bytes.Equal(one, other) {
			t.Errorf("%s: %v, %v, equal: %t", name, err, oerr, bytes.Equal(one, other))
		}
		files[name] = one
	}
	for _, text := range []string{"25 connects a second through 500 ports", "6.1-stock: TIME_WAIT of 60 s, sustains 8.3 connects a second",
		"6.1-patched: TIME_WAIT of 5 s, sustains 100 connects a second", "6.1-stock: the first after 1 s, 70 in all", "6.1-patched: none", "all ports"} {
		if !bytes.Contains(files[set.BenchSVG], []byte(text)) {
			t.Errorf("the chart does not say %q", text)
		}
	}
	if img, err := png.Decode(bytes.NewReader(files[set.BenchPNG])); err != nil || img.Bounds().Dx() < 800 {
		t.Errorf("%v, %v", err, img.Bounds())
	}
	rows := strings.Split(string(files[set.BenchCSV]), "\n")
	if len(rows) != 24 || rows[0] != "kernel,second,time_wait,connected,failed" || rows[2] != "6.1-stock,1,25,25,7" || rows[22] != "6.1-patched,10,125,250,0" {
		t.Errorf("%d rows: %s", len(rows), fmt.Sprint(rows))
	}
}
