package prove

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/boot"
	"namibuild/builder/event"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

const course = "@namibuild fin-timeout 5\n@namibuild sample 0 0 0 0\n@namibuild sample 1000 2 2 0\n@namibuild sustained 9 4500\n@namibuild end\n"

// benchable returns the options for a patched set and a stock one, and an engine in which
// both kernels print the same.
func benchable(t *testing.T, console string) (BenchOptions, *[]event.Event) {
	t.Helper()
	o, _, events := bootable(t, console)
	o.Recipe = &recipe.Recipe{Image: "centos6"}
	stock := t.TempDir()
	image := strings.Repeat("k", 0x202) + "HdrS, the vendor's"
	pkg := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "x86_64",
		Files: []rpmtest.File{{Path: "/boot/vmlinuz-2.6.32-431.3.1.el6.x86_64", Content: image, Mode: 0o100644}}})
	if err := errors.Join(os.Mkdir(filepath.Join(stock, set.RPMS), 0o777), os.WriteFile(filepath.Join(stock, set.RPMS, "kernel.rpm"), pkg, 0o666)); err != nil {
		t.Fatal(err)
	}
	return BenchOptions{MachineOptions: o.MachineOptions, Set: o.Set, Stock: stock, Traffic: boot.Traffic{Ports: 10, Rate: 2, Seconds: 1}}, events
}

// TestBench checks that both kernels get one program and one machine, that only the patched
// set gets the report, and that a second run takes the program from the store.
func TestBench(t *testing.T) {
	o, events := benchable(t, course)
	for range 2 {
		r, err := Bench(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		want := boot.Course{Release: "2.6.32-431.3.1.el6.x86_64", TimeWait: 5, Samples: []boot.Sample{{}, {Second: 1, Waiting: 2, Connected: 2}}, Possible: 2, Sustained: 2}
		if d := cmp.Diff(want, r.Stock); d != "" {
			t.Errorf("stock: -want +got\n%s", d)
		}
		if r.Patched.Release != guestRelease || r.Machine == "" {
			t.Errorf("patched %q on %q", r.Patched.Release, r.Machine)
		}
	}
	for _, name := range []string{set.BenchFile, set.BenchCSV, set.BenchSVG, set.BenchPNG} {
		if _, err := os.Stat(filepath.Join(o.Set, name)); err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadDir(o.Stock); len(got) != 1 || err != nil {
		t.Errorf("in the stock set: %q", got)
	}
	compiled := 0
	for _, e := range *events {
		if e.Kind == event.End && e.Step == event.Witness && !bytes.Contains([]byte(e.Text), []byte("from the store")) {
			compiled++
		}
	}
	if compiled != 1 {
		t.Errorf("compiled %d times", compiled)
	}
}

// TestBenchErrors checks the errors of Bench, and that it then writes no report.
func TestBenchErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*BenchOptions)
		words  string
		step   event.Step
		want   string
	}{
		"cannot":   {nil, "@namibuild cannot bind 98\n", event.Measure, "measuring 2.6.32-431.3.1.el6.x86_64: bind: address already in use"},
		"no stock": {func(o *BenchOptions) { o.Stock = filepath.Join(o.Stock, "none") }, course, event.Kernel, "no such file or folder"},
		"a package alone": {func(o *BenchOptions) { o.Set = filepath.Join(o.Set, set.RPMS, "kernel.rpm") }, course, event.Kernel,
			"but the chart goes into an output directory"},
	} {
		o, _ := benchable(t, c.words)
		if c.change != nil {
			c.change(&o)
		}
		_, err := Bench(t.Context(), o)
		var step *event.StepError
		if !errors.As(err, &step) || step.Step != c.step || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(o.Set, set.BenchFile)); err == nil {
			t.Errorf("%s: a report was written", name)
		}
	}
}

// TestBenchOfOneKernel checks that a set is not compared with itself.
func TestBenchOfOneKernel(t *testing.T) {
	o, _ := benchable(t, course)
	o.Stock = o.Set
	if _, err := Bench(t.Context(), o); err == nil || !strings.Contains(err.Error(), "it has the same kernel as") {
		t.Errorf("got %v", err)
	}
}
