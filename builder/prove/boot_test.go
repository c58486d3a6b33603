package prove

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/boot"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/kerneltest"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

const guestRelease = "2.6.32-431.3.1.namibuild.el6.x86_64"

// guest returns the console of a guest whose TIME_WAIT takes that many milliseconds.
func guest(ms int) string {
	return fmt.Sprintf("@namibuild release %[1]s\n@namibuild version Linux version %[1]s (a) #1\n@namibuild socket 0 %[2]d %[2]d\n@namibuild tainted 0\n@namibuild end\n", guestRelease, ms)
}

// fake turns a fake of enginetest into an Engine, as Over does with a real engine.
type fake struct{ *enginetest.Fake }

func (f fake) Create(ctx context.Context, s engine.ContainerSpec) (boot.Container, error) {
	c, err := f.Fake.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// proven returns the proof of a set.
func proven(t *testing.T, dir string) (boot.Proof, error) {
	t.Helper()
	s, err := set.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return boot.Proven(s.Dir, s.Files, s.RPMs)
}

// bootable returns the options for a set of one kernel package, a fake engine that
// compiles the witness and runs the guest, and the list of the events.
func bootable(t *testing.T, console string) (BootOptions, *enginetest.Fake, *[]event.Event) {
	t.Helper()
	dir := t.TempDir()
	image := strings.Repeat("k", 0x202) + "HdrS"
	pkg := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.namibuild.el6", Arch: "x86_64",
		Files: []rpmtest.File{{Path: "/boot/vmlinuz-" + guestRelease, Content: image, Mode: 0o100644}}})
	if err := os.Mkdir(filepath.Join(dir, set.RPMS), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, set.RPMS, "kernel.rpm"), pkg, 0o666); err != nil {
		t.Fatal(err)
	}
	store, err := fetch.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &enginetest.Fake{Program: func(_ context.Context, p *enginetest.Process) engine.Exit {
		for _, name := range []string{"witness.c", "traffic.c"} {
			if source, ok := p.Topdir[name]; ok {
				p.Topdir["program"] = &fstest.MapFile{Data: append([]byte("compiled "), source.Data...)}
				return engine.Exit{}
			}
		}
		if !strings.HasPrefix(string(p.Topdir["vmlinuz"].Data), image) || !bytes.Contains(p.Topdir["initramfs"].Data, []byte("compiled int main")) {
			return engine.Exit{Code: 99}
		}
		fmt.Fprint(p.Log, console)
		return engine.Exit{}
	}}
	files := fstest.MapFS{"images/witness/guest.h": {Data: []byte("int puts")}, "images/witness/witness.c": {Data: []byte("int main")},
		"images/witness/traffic.c": {Data: []byte("int main")}, "images/qemu/Dockerfile": {Data: []byte("FROM scratch\n")}}
	for name, file := range kerneltest.Images {
		files[name] = file
	}
	events := &[]event.Event{}
	return BootOptions{
		Set: dir, MachineOptions: MachineOptions{
			Recipe: &recipe.Recipe{Name: "timewait", Image: "centos6", Proof: recipe.Proof{TimeWait: 5}}, Images: files, Store: store,
			Connect: func(context.Context) (Engine, error) { return fake{f}, nil },
			QEMU:    QEMUContainer, Accel: AccelAuto, Limit: time.Minute, Tell: func(e event.Event) { *events = append(*events, e) },
		},
	}, f, events
}

// TestBoot checks that the witness is compiled once, that the guest runs in a container,
// and that the set then has the console and a proof which counts.
func TestBoot(t *testing.T) {
	o, f, events := bootable(t, guest(5010))
	f.Stale = 1
	for range 2 {
		p, err := Boot(t.Context(), o)
		if err != nil || !p.Passed {
			t.Fatalf("%+v, %v", p.Checks, err)
		}
	}
	log, err := os.ReadFile(filepath.Join(o.Set, set.ProofLogFile))
	if err != nil || string(log) != guest(5010) {
		t.Errorf("%q, %v", log, err)
	}
	if p, err := proven(t, o.Set); err != nil || p.Kernel.Release != guestRelease || len(p.Packages) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	var ran []string
	for _, s := range f.Specs() {
		ran = append(ran, s.Name)
		if s.Entropy || s.Memory == 0 || s.Pids == 0 || s.User != "1000:1000" {
			t.Errorf("%s is not confined: %+v", s.Name, s)
		}
	}
	if d := cmp.Diff([]string{"witness", "boot", "boot"}, ran); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	var ends []string
	for _, e := range *events {
		if e.Kind == event.End {
			ends = append(ends, string(e.Step))
		}
	}
	if d := cmp.Diff([]string{"kernel", "witness", "machine", "boot", "kernel", "witness", "machine", "boot"}, ends); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if left := f.Left(); len(left) > 0 || f.Stale > 0 {
		t.Errorf("left: %v, of a run before: %d", left, f.Stale)
	}
}

// TestBootFails checks that a kernel which fails is not an error, and that the proof says
// so.
func TestBootFails(t *testing.T) {
	o, _, _ := bootable(t, guest(60010))
	p, err := Boot(t.Context(), o)
	if err != nil || p.Passed {
		t.Fatalf("%+v, %v", p.Checks, err)
	}
	var unproven *boot.UnprovenError
	if _, err := proven(t, o.Set); !errors.As(err, &unproven) || !strings.Contains(err.Error(), "time-wait: want 5.00 s, got 60.01 s") {
		t.Errorf("got %v", err)
	}
}

// TestBootNoVerdict checks that a boot which the limit ends says nothing about the
// kernel: an earlier proof stays, and there is no new one.
func TestBootNoVerdict(t *testing.T) {
	o, f, _ := bootable(t, guest(5010))
	if _, err := Boot(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		fmt.Fprint(p.Log, "Linux version 2.6.32\n")
		<-ctx.Done()
		return engine.Exit{}
	}
	o.Limit = 100 * time.Millisecond
	var limit *boot.LimitError
	if _, err := Boot(t.Context(), o); !errors.As(err, &limit) || !strings.HasSuffix(limit.Last, `"Linux version 2.6.32"`) {
		t.Errorf("got %v", err)
	}
	log, err := os.ReadFile(filepath.Join(o.Set, set.ProofLogFile))
	if err != nil || string(log) != guest(5010) {
		t.Errorf("%q, %v", log, err)
	}
	if _, err := proven(t, o.Set); err != nil {
		t.Errorf("the proof is gone: %v", err)
	}
	if err := os.Remove(filepath.Join(o.Set, set.ProofFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := Boot(t.Context(), o); !errors.As(err, &limit) {
		t.Errorf("got %v", err)
	}
	if _, err := proven(t, o.Set); !errors.As(err, new(*boot.UnprovenError)) {
		t.Errorf("a boot without a result counts as a proof: %v", err)
	}
}

// TestBootWants checks that the recipe says what is expected or, without a recipe, the
// record of the build, and that "stock" in a recipe says it for the vendor's kernel.
func TestBootWants(t *testing.T) {
	r := recipe.Recipe{Proof: recipe.Proof{TimeWait: 5, Stock: &recipe.StockProof{TimeWait: 60}}}
	recorded := &set.Record{Proof: recipe.Proof{TimeWait: 7}}
	stock := &set.Record{Proof: recipe.Proof{TimeWait: 8}}
	stock.Plan.Stock = true
	for _, test := range []struct {
		recipe *recipe.Recipe
		record *set.Record
		want   int
	}{{nil, nil, 0}, {&r, nil, 5}, {nil, recorded, 7}, {&r, recorded, 5}, {&r, stock, 60}, {nil, stock, 8}} {
		b := &run{MachineOptions: MachineOptions{Recipe: test.recipe}}
		if got := b.want(test.record).TimeWait; got != test.want {
			t.Errorf("got %d, want %d", got, test.want)
		}
	}
}

// TestBootErrors checks the errors of Boot, and that it then leaves nothing.
func TestBootErrors(t *testing.T) {
	broken := errors.New("broken")
	tests := map[string]struct {
		change func(*BootOptions, *enginetest.Fake)
		step   event.Step
		want   string
	}{
		"no set":    {func(o *BootOptions, _ *enginetest.Fake) { o.Set += "/none" }, event.Kernel, "no such file or folder"},
		"empty set": {func(o *BootOptions, _ *enginetest.Fake) { os.RemoveAll(filepath.Join(o.Set, set.RPMS)) }, event.Kernel, "no package, neither in it nor in its folder RPMS"},
		"broken RPM": {func(o *BootOptions, _ *enginetest.Fake) {
			os.WriteFile(filepath.Join(o.Set, set.RPMS, "x.rpm"), []byte("x"), 0o666)
		}, event.Kernel, "reading x.rpm"},
		"record": {func(o *BootOptions, _ *enginetest.Fake) {
			os.WriteFile(filepath.Join(o.Set, set.RecordFile), []byte("x"), 0o666)
		}, event.Kernel, "build.json: invalid character"},
		"no engine": {func(o *BootOptions, _ *enginetest.Fake) {
			o.Connect = func(context.Context) (Engine, error) { return nil, broken }
		}, event.Witness, "broken"},
		"no image": {func(o *BootOptions, f *enginetest.Fake) { f.Fail = map[enginetest.Step]error{enginetest.Image: broken} }, event.Witness, "broken"},
		"compiler": {func(_ *BootOptions, f *enginetest.Fake) {
			f.Program = func(_ context.Context, p *enginetest.Process) engine.Exit {
				fmt.Fprintln(p.Log, "program.c:1: no")
				return engine.Exit{Code: 1}
			}
		}, event.Witness, "ended with status 1: program.c:1: no"},
		"KVM":     {func(o *BootOptions, _ *enginetest.Fake) { o.Accel = "kvm" }, event.Machine, "a container gets no device, so it needs a QEMU on the host"},
		"offline": {func(o *BootOptions, _ *enginetest.Fake) { o.Offline = true }, event.Witness, "does not have the image"},
		"QEMU gave up": {func(o *BootOptions, f *enginetest.Fake) {
			program := f.Program
			f.Program = func(c context.Context, p *enginetest.Process) engine.Exit {
				if p.Spec.Name == "boot" {
					fmt.Fprintln(p.Log, "qemu: no")
					return engine.Exit{Code: 1}
				}
				return program(c, p)
			}
		}, event.Boot, "running QEMU: exit status 1: qemu: no"},
	}
	for name, test := range tests {
		o, f, _ := bootable(t, guest(5000))
		test.change(&o, f)
		_, err := Boot(t.Context(), o)
		var step *event.StepError
		if !errors.As(err, &step) || step.Step != test.step || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(o.Set, set.ProofFile)); err == nil || len(f.Left()) > 0 {
			t.Errorf("%s: left a proof or %v", name, f.Left())
		}
	}
}

// TestBootPackageAlone checks that nothing is written beside a package file, and that
// Keep gets the guest's files.
func TestBootPackageAlone(t *testing.T) {
	o, _, _ := bootable(t, guest(5010))
	dir := o.Set
	o.Set, o.Keep = filepath.Join(dir, set.RPMS, "kernel.rpm"), filepath.Join(dir, "kept")
	if p, err := Boot(t.Context(), o); err != nil || !p.Passed {
		t.Fatalf("%+v, %v", p, err)
	}
	entries, err := os.ReadDir(o.Keep)
	if err != nil || !slices.Equal([]string{"initramfs", "vmlinuz"}, []string{entries[0].Name(), entries[1].Name()}) {
		t.Errorf("%v, %v", entries, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*proof*")); left != nil {
		t.Errorf("left %v", left)
	}
}

// TestBootRecord checks that the proof has the ID of the plan only if the record is about
// the packages of the set.
func TestBootRecord(t *testing.T) {
	o, _, events := bootable(t, guest(5010))
	of, err := set.Open(filepath.Join(o.Set, set.RPMS))
	if err != nil || of.Dir != o.Set || of.Record != nil {
		t.Fatalf("%+v, %v", of, err)
	}
	record := `{"form":1,"planID":"abc","plan":{"image":"centos6"},"packages":[{"file":"kernel.rpm","sha256":"` + of.RPMs[0].SHA256 + `"}]}`
	for page, want := range map[string]string{record: "abc", strings.Replace(record, of.RPMs[0].SHA256[:4], "0000", 1): ""} {
		if err := os.WriteFile(filepath.Join(o.Set, set.RecordFile), []byte(page), 0o666); err != nil {
			t.Fatal(err)
		}
		if p, err := Boot(t.Context(), o); err != nil || p.PlanID != want {
			t.Errorf("%s: %q, %v", page, p.PlanID, err)
		}
		warned := slices.ContainsFunc(*events, func(e event.Event) bool { return e.Kind == event.Warning })
		if warned != (want == "") {
			t.Errorf("%s: warned: %v", page, warned)
		}
		*events = nil
	}
}
