package builder

import (
	"context"
	"crypto/sha256"
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

	"namibuild/builder/artifact"
	"namibuild/builder/buildlog"
	"namibuild/builder/buildroot"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/event"
	"namibuild/builder/kerneltest"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

// TestBuild checks what a build returns, publishes and logs, and the events that it tells.
func TestBuild(t *testing.T) {
	o, f, events := setup(t)
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if left := f.Left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if len(res.RPMs) != 1 || res.RPMs[0].File != "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm" || res.Objects != 7 || res.Entropy != engine.Urandom {
		t.Errorf("got %+v", res)
	}
	if got := names(t, o.Output); !slices.Equal(got, []string{set.RPMS, set.RecordFile, set.LogFile, set.BuildRootFile, set.ChangesFile}) {
		t.Errorf("in the output directory: %v", got)
	}
	log, err := os.ReadFile(filepath.Join(o.Output, set.LogFile))
	if err != nil || string(log) != "Executing(%prep): /bin/sh\nExecuting(%build): /bin/sh\n" {
		t.Errorf("log %q, %v", log, err)
	}
	var steps []string
	for _, e := range *events {
		if e.Kind == event.Begin || e.Kind == event.End || e.Unit == event.Objects {
			steps = append(steps, fmt.Sprint(e.Kind, " ", e.Step, " ", e.Total))
		}
	}
	want := []string{"begin source 0", "end source 0", "begin prepare 0", "end prepare 0", "begin image 0", "end image 0", "begin container 0", "end container 0",
		"begin upload 0", "end upload 0", "begin rpmbuild 0", "progress rpmbuild 9", "progress rpmbuild 9", "progress rpmbuild 9", "end rpmbuild 0", "begin collect 0", "end collect 0"}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Error(diff)
	}
}

// TestBuildRunsThePlan checks that the container gets exactly what the plan says.
func TestBuildRunsThePlan(t *testing.T) {
	o, f, _ := setup(t)
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	var env []string
	for _, v := range res.Plan.Env {
		env = append(env, v.Name+"="+v.Value)
	}
	want := []engine.ContainerSpec{{
		Name: "timewait", Image: res.Image.ID, Command: append([]string{runScript, "-bb"}, res.Plan.Args[1:]...), Env: env,
		Hostname: "namibuild", User: "1000:1000", Topdir: "/usr/src/namibuild/rpmbuild", Memory: 1 << 30, Pids: pids, Entropy: true,
	}}
	if diff := cmp.Diff(want, f.Specs()); diff != "" {
		t.Error(diff)
	}
	if res.Plan.SRPM.Epoch != 1389000000 || res.PlanID != res.Plan.ID() {
		t.Errorf("plan %+v", res.Plan.SRPM)
	}
}

// TestBuildRemembersObjects checks that the second build expects as many objects as the first
// one has counted.
func TestBuildRemembersObjects(t *testing.T) {
	o, _, events := setup(t)
	for range 2 {
		*events = nil
		if _, err := Build(context.Background(), o); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range *events {
		if e.Unit == event.Objects && e.Total != 7 {
			t.Errorf("%d objects are expected", e.Total)
		}
	}
}

// TestBuildErrors checks that an error names its step and its cause, and that nothing is left
// on the engine or published.
func TestBuildErrors(t *testing.T) {
	broken := errors.New("broken")
	tests := map[string]struct {
		change func(*Options, *enginetest.Fake)
		step   event.Step
		is     error
	}{
		"image":  {func(_ *Options, f *enginetest.Fake) { f.Fail = map[enginetest.Step]error{enginetest.Image: broken} }, event.Image, broken},
		"create": {func(_ *Options, f *enginetest.Fake) { f.Fail = map[enginetest.Step]error{enginetest.Create: broken} }, event.Container, broken},
		"read":   {func(_ *Options, f *enginetest.Fake) { f.Fail = map[enginetest.Step]error{enginetest.Read: broken} }, event.Container, broken},
		"list":   {func(_ *Options, f *enginetest.Fake) { f.Root[buildroot.Path] = nil }, event.Container, nil},
		"upload": {func(_ *Options, f *enginetest.Fake) { f.Fail = map[enginetest.Step]error{enginetest.Upload: broken} }, event.Upload, broken},
		"run":    {func(_ *Options, f *enginetest.Fake) { f.Fail = map[enginetest.Step]error{enginetest.Run: broken} }, event.Rpmbuild, broken},
		"export": {func(_ *Options, f *enginetest.Fake) { f.Fail = map[enginetest.Step]error{enginetest.Export: broken} }, event.Collect, broken},
		"digest": {func(o *Options, _ *enginetest.Fake) { o.Recipe.Source.SHA256 = strings.Repeat("0", 64) }, event.Source, nil},
		"key":    {func(o *Options, _ *enginetest.Fake) { o.Recipe.Source.SignedBy = strings.Repeat("A", 40) }, event.Source, nil},
		"edit":   {func(o *Options, _ *enginetest.Fake) { o.Recipe.Edits[0].Find = "(61*HZ)" }, event.Prepare, nil},
		"wanted": {func(o *Options, _ *enginetest.Fake) { o.Recipe.Packages = []string{"perf"} }, event.Collect, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, f, _ := setup(t)
			test.change(&o, f)
			_, err := Build(context.Background(), o)
			var step *event.StepError
			if !errors.As(err, &step) || step.Step != test.step {
				t.Fatalf("got %v", err)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v does not wrap the cause", err)
			}
			if left := f.Left(); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			if got := names(t, o.Output); slices.Contains(got, set.RPMS) || slices.Contains(got, ".part") || slices.Contains(got, ".lock") {
				t.Errorf("in the output directory: %v", got)
			}
		})
	}
}

// TestBuildFails checks that a failure of rpmbuild has the first error in the log, and that
// the log is kept beside the packages of the build before.
func TestBuildFails(t *testing.T) {
	o, f, _ := setup(t)
	if _, err := Build(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	o.Recipe.Edits = []recipe.Edit{{File: "include/net/tcp.h", Find: "(60*HZ)", Replace: "(6*HZ)", Times: 1}}
	_, err := Build(context.Background(), o)
	var failed *RpmbuildError
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	want := &RpmbuildError{Status: 1, Log: filepath.Join(o.Output, set.FailedLog), Failure: buildlog.Failure{
		Phase: "%build", First: "net/tcp.c:4: error: TIME_WAIT is not 5 s", File: "net/tcp.c", Line: 4,
		Last: []string{"Executing(%prep): /bin/sh", "Executing(%build): /bin/sh", "net/tcp.c:4: error: TIME_WAIT is not 5 s"}}}
	if diff := cmp.Diff(want, failed); diff != "" {
		t.Error(diff)
	}
	if got := names(t, o.Output); !slices.Equal(got, []string{set.RPMS, set.RecordFile, set.LogFile, set.BuildRootFile, set.ChangesFile, set.FailedLog}) {
		t.Errorf("in the output directory: %v", got)
	}
	if left := f.Left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestBuildOfAnUnknownPackage checks that a build ends before anything is compiled if the spec
// does not make a wanted package.
func TestBuildOfAnUnknownPackage(t *testing.T) {
	o, f, _ := setup(t)
	o.Recipe.Packages = []string{"kernel", "kernel-dbug", "kernel-debuginfo"}
	compiled := false
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		fmt.Fprintf(p.Log, "@namibuild packages kernel kernel-debug \n")
		select {
		case <-ctx.Done():
			return engine.Exit{Code: 143}
		case <-time.After(10 * time.Second):
		}
		compiled = true
		return engine.Exit{}
	}
	_, err := Build(context.Background(), o)
	var unknown *UnknownPackageError
	if !errors.As(err, &unknown) || err.Error() != "the recipe wants kernel-dbug; with these switches the spec makes kernel, kernel-debug" || compiled {
		t.Errorf("got %v", err)
	}
	if got := names(t, o.Output); len(got) > 0 {
		t.Errorf("in the output directory: %v", got)
	}
}

// TestBuildThatMakesTooLittle checks that the packages are kept in a folder of their own if
// they are not all that the recipe wants, and that the next build removes it.
func TestBuildThatMakesTooLittle(t *testing.T) {
	o, _, _ := setup(t)
	o.Recipe.Packages = []string{"kernel", "kernel-debug"}
	_, err := Build(context.Background(), o)
	const made = "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"
	want := "the recipe wants kernel-debug; the build made " + made + ", kept in " + filepath.Join(o.Output, set.FailedRPMS)
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if got := names(t, o.Output); !slices.Equal(got, []string{set.FailedRPMS, set.FailedLog}) {
		t.Errorf("in the output directory: %v", got)
	}
	if got := names(t, filepath.Join(o.Output, set.FailedRPMS)); !slices.Equal(got, []string{made}) {
		t.Errorf("kept: %v", got)
	}
	o.Recipe.Packages = []string{"kernel"}
	if _, err := Build(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if got := names(t, o.Output); !slices.Equal(got, []string{set.RPMS, set.RecordFile, set.LogFile, set.BuildRootFile, set.ChangesFile}) {
		t.Errorf("after the next build: %v", got)
	}
}

// TestBuildInterrupted checks that a build ends with its context, and leaves nothing on the
// engine.
func TestBuildInterrupted(t *testing.T) {
	o, f, _ := setup(t)
	ctx, cancel := context.WithCancel(context.Background())
	f.Program = func(ctx context.Context, _ *enginetest.Process) engine.Exit {
		cancel()
		<-ctx.Done()
		return engine.Exit{Code: 143}
	}
	_, err := Build(ctx, o)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := f.Left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestConfig checks that nothing is published if the kernel was built without an option of the
// recipe.
func TestConfig(t *testing.T) {
	for _, c := range []struct {
		built string
		want  *artifact.ConfigError
	}{
		{"CONFIG_A=m\n", nil},
		{"# CONFIG_A is not set\n", &artifact.ConfigError{Wrong: []artifact.WrongOption{{
			Want: recipe.Option{Name: "CONFIG_A", Value: "m"}, Got: "n",
			Path: "/boot/config-2.6.32", File: "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"}}}},
	} {
		o, f, _ := setup(t)
		p := kerneltest.SRPMPackage()
		p.Files = append(p.Files, rpmtest.File{Path: "config", Content: "CONFIG_A=y\n", Mode: 0o100644})
		data := rpmtest.Build(p)
		if err := os.WriteFile(o.Recipe.Source.File, data, 0o666); err != nil {
			t.Fatal(err)
		}
		o.Recipe.Source.SHA256 = fmt.Sprintf("%x", sha256.Sum256(data))
		o.Recipe.Config = []recipe.Option{{Name: "CONFIG_A", Value: "m"}}
		f.Program = func(_ context.Context, p *enginetest.Process) engine.Exit {
			if got := string(p.Topdir["SOURCES/config"].Data); got != "CONFIG_A=m\n" {
				t.Errorf("config: %q", got)
			}
			pkg := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.namibuild.el6", Arch: "x86_64",
				Files: []rpmtest.File{{Path: "/boot/config-2.6.32", Content: c.built, Mode: 0o100644}}})
			p.Topdir["RPMS/x86_64/kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"] = &fstest.MapFile{Data: pkg, Mode: 0o644}
			fmt.Fprintln(p.Log, "done")
			return engine.Exit{}
		}
		res, err := Build(context.Background(), o)
		var got *artifact.ConfigError
		if errors.As(err, &got); !cmp.Equal(got, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%q: %v", c.built, err)
		}
		if err == nil && !cmp.Equal(res.Plan.Config, o.Recipe.Config) {
			t.Errorf("the plan's: %v", res.Plan.Config)
		}
		if _, stat := os.Stat(filepath.Join(o.Output, set.RPMS)); (stat == nil) != (err == nil) {
			t.Errorf("%q: %s: %v", c.built, set.RPMS, stat)
		}
	}
}

// TestTarball checks that the tarball that the SRPM leaves out is fetched, checked by its
// digest and built.
func TestTarball(t *testing.T) {
	o, _, _ := setup(t)
	p := kerneltest.SRPMPackage()
	tree := p.Files[1].Content
	p.Files = p.Files[:1]
	data := rpmtest.Build(p)
	file := filepath.Join(t.TempDir(), "linux-2.6.32-431.3.1.el6.tar.bz2")
	for name, content := range map[string][]byte{o.Recipe.Source.File: data, file: []byte(tree)} {
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	o.Recipe.Source.SHA256 = fmt.Sprintf("%x", sha256.Sum256(data))
	o.Recipe.Source.Tarball = recipe.Tarball{File: file, SHA256: strings.Repeat("a", 64)}
	var step *event.StepError
	if _, err := Build(context.Background(), o); !errors.As(err, &step) || step.Step != event.Source || !strings.Contains(err.Error(), "sha256 got ") {
		t.Errorf("another digest: %v", err)
	}
	o.Recipe.Source.Tarball.SHA256 = fmt.Sprintf("%x", sha256.Sum256([]byte(tree)))
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Plan.Source.Tarball; got.File != filepath.Base(file) || !strings.Contains(res.Plan.Text(), "  tarball    file linux-2.6.32-431.3.1.el6.tar.bz2\n") {
		t.Errorf("the plan's: %+v\n%s", got, res.Plan.Text())
	}
	p2, _, err := Plan(context.Background(), o.PlanOptions)
	if err != nil || p2.ID() != res.PlanID {
		t.Errorf("Plan returns another plan: %v", err)
	}
}
