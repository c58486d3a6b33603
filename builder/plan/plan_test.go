package plan

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	srpmDigest  = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	imageDigest = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
	centosKey   = "C1DAC52D1664E8A4386DBA430946FCA2C105B9DE"
)

func timewait() recipe.Recipe {
	return recipe.Recipe{
		Name: "timewait", Description: "not in the plan", Image: "centos6", Tag: "namibuild",
		Source: recipe.Source{URL: "http://example.org/kernel-2.6.32-431.3.1.el6.src.rpm", SignedBy: centosKey},
		Edits: []recipe.Edit{{
			File: "include/net/tcp.h", Find: "#define TCP_TIMEWAIT_LEN (60*HZ)", Replace: "#define TCP_TIMEWAIT_LEN (5*HZ)", Times: 1,
		}},
		Rpmbuild: recipe.Rpmbuild{With: []string{"firmware"}},
		Packages: []string{"kernel", "kernel-firmware"}, Objects: 5, Dir: "/not/in/the/plan",
	}
}

func facts() Input {
	return Input{
		SRPM:  SRPM{File: "kernel-2.6.32-431.3.1.el6.src.rpm", SHA256: srpmDigest, Epoch: 1388785812},
		Image: imageDigest, Files: pinFiles(), Jobs: 2, MemoryBytes: 4 << 30,
	}
}

// pinFiles returns digests of the files that the pins are made of.
func pinFiles() map[string]string {
	all := map[string]string{}
	for _, d := range definedPins {
		for _, file := range d.files {
			all["images/common/"+file] = digest([]byte(file))
		}
	}
	return all
}

func pinFile(names ...string) []PinFile {
	var all []PinFile
	for _, name := range names {
		all = append(all, PinFile{"images/common/" + name, digest([]byte(name))})
	}
	return all
}

func demo() recipe.Recipe {
	r := timewait()
	r.Name, r.Image, r.Source = "demo", "debian12", recipe.Source{Pack: "demo"}
	r.Config = []recipe.Option{{Name: "CONFIG_NET_9P", Value: "m"}, {Name: "CONFIG_IPV6", Value: "n"}}
	r.Patches = []recipe.Patch{{File: "fixes/tcp.patch", Strip: 1, Content: []byte("--- a/x\n+++ b/x\n")}}
	r.Sources = []recipe.Added{{File: "my.config", As: "config-local", Content: []byte("CONFIG_A=y\n")}}
	r.Rpmbuild = recipe.Rpmbuild{
		With: []string{"firmware", "baseonly"}, Without: []string{"debug"},
		Define: []recipe.Define{{Name: "dist", Value: ".el6"}, {Name: "note", Value: "it's 100 %"}},
	}
	return r
}

func mustNew(t *testing.T, r recipe.Recipe, in Input) Plan {
	t.Helper()
	p, err := New(r, in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNew(t *testing.T) {
	want := Plan{
		Name:   "timewait",
		Source: recipe.Source{URL: "http://example.org/kernel-2.6.32-431.3.1.el6.src.rpm", SignedBy: centosKey},
		SRPM:   SRPM{File: "kernel-2.6.32-431.3.1.el6.src.rpm", SHA256: srpmDigest, Epoch: 1388785812},
		Tag:    "namibuild",
		Edits: []recipe.Edit{{
			File: "include/net/tcp.h", Find: "#define TCP_TIMEWAIT_LEN (60*HZ)", Replace: "#define TCP_TIMEWAIT_LEN (5*HZ)", Times: 1,
		}},
		Packages: []string{"kernel", "kernel-firmware"},
		Image:    "centos6", ImageDigest: imageDigest,
		Hostname: "namibuild", User: "1000:1000", UserName: "builder", Topdir: "/usr/src/namibuild/rpmbuild",
		Env: []Var{
			{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "the image's own programs, after those that replace some of them; depmod is in /sbin"},
			{"HOME", "/usr/src/namibuild/rpmbuild", "gpg and rpm write files there; no other folder can be written to"},
			{"TMPDIR", "/usr/src/namibuild/rpmbuild/TMP", "the root file system is read-only"},
			{"LC_ALL", "C", "sorting and messages do not depend on a language"},
			{"TZ", "UTC", "dates do not depend on a time zone"},
			{"SOURCE_DATE_EPOCH", "1388785812", "the clock of the build: the time at which the SRPM was built"},
			{"KBUILD_BUILD_VERSION", "1", "the #1 of uname -v, which counts builds"},
			{"KBUILD_BUILD_USER", "builder", "the user in /proc/version"},
			{"KBUILD_BUILD_HOST", "namibuild", "the host in /proc/version"},
			{"KBUILD_BUILD_TIMESTAMP", "Fri Jan  3 21:50:12 UTC 2014", "the time in /proc/version: SOURCE_DATE_EPOCH, and not the real one"},
			{"GZIP", "-n", "gzip 1.3 writes the time into everything that it compresses"},
			{"LD_PRELOAD", "/usr/lib/namibuild/clock.so:/usr/lib/namibuild/stat.so:/usr/lib/namibuild/order.so", "the pins clock, stat, order"},
		},
		Args: []string{"-bb", "--with", "firmware", "--define", "_smp_mflags -j2",
			"--define", "___build_cmd /usr/lib/namibuild/step.sh %{buildroot} %{___build_shell} %{___build_args}",
			"--define", "__arch_install_post /usr/lib/namibuild/mtimes.sh %{buildroot}"},
		Pins: []Pin{
			{Name: "clock", Holds: "the time of day is SOURCE_DATE_EPOCH in every program but make", Files: pinFile("pins/clock.c")},
			{Name: "stat", Holds: "rpmbuild sees device 0:1, inodes from 1, and 4096 bytes and one link of every directory", Files: pinFile("pins/stat.c")},
			{Name: "order", Holds: "the entries of a directory are read in the order of their names", Files: pinFile("pins/order.c")},
			{Name: "mtimes", Holds: "all files in the buildroot have the time SOURCE_DATE_EPOCH", Files: pinFile("step.sh", "mtimes.sh")},
			{Name: "gzip", Holds: "gzip writes neither time nor name"},
			{Name: "kbuild", Holds: "uname -v and /proc/version have a fixed count, time, user and host"},
			{Name: "buildhost", Holds: "the host name is namibuild, and /etc/hosts has it"},
		},
		ModuleKey: ModuleKey{Mode: "ephemeral"},
		Jobs:      2, MemoryBytes: 4 << 30,
	}
	if d := cmp.Diff(want, mustNew(t, timewait(), facts())); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestNewOnDebian(t *testing.T) {
	p := mustNew(t, demo(), facts())
	want := []string{
		"-bb", "--noclean", "--with", "firmware", "--with", "baseonly", "--without", "debug",
		"--define", "_smp_mflags -j2", "--define", "_smp_build_ncpus 2", "--define", "_buildhost namibuild",
		"--define", "use_source_date_epoch_as_buildtime 1", "--define", "clamp_mtime_to_source_date_epoch 1",
		"--define", "___build_cmd /usr/lib/namibuild/step.sh %{buildroot} %{___build_shell} %{___build_args}",
		"--define", "__arch_install_post /usr/lib/namibuild/mtimes.sh %{buildroot}",
		"--define", "dist .el6", "--define", "note it's 100 %",
	}
	if d := cmp.Diff(want, p.Args); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if slices.ContainsFunc(p.Env, func(v Var) bool { return v.Name == "GZIP" }) {
		t.Error("GZIP is set; gzip 1.12 warns of it in every run")
	}
}

// TestNewBeforeTheSource checks that a plan without an SRPM leaves open only what
// depends on it.
func TestNewBeforeTheSource(t *testing.T) {
	in := facts()
	want := mustNew(t, timewait(), in)
	in.SRPM = SRPM{}
	want.SRPM = SRPM{}
	want.Env = slices.DeleteFunc(want.Env, func(v Var) bool { return v.Name == "SOURCE_DATE_EPOCH" || v.Name == "KBUILD_BUILD_TIMESTAMP" })
	if d := cmp.Diff(want, mustNew(t, timewait(), in)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestNewErrors(t *testing.T) {
	tests := []struct {
		name   string
		change func(*recipe.Recipe, *Input)
		want   string
	}{
		{"image", func(r *recipe.Recipe, _ *Input) { r.Image = "centos8" }, `no such image: "centos8", must be one of centos6, centos7, debian12, rocky8, rocky9`},
		{"digest of the image", func(_ *recipe.Recipe, in *Input) { in.Image = "" }, "digest of the image's definition is missing"},
		{"jobs", func(_ *recipe.Recipe, in *Input) { in.Jobs = 0 }, "jobs is 0, must be 1 or more"},
		{"memory", func(_ *recipe.Recipe, in *Input) { in.MemoryBytes = -1 }, "memory is -1 bytes, must be 0 or more"},
		{"tmpfs", func(_ *recipe.Recipe, in *Input) { in.TmpfsBytes = -1 }, "size of the topdir in memory is -1 bytes, must be 0 or more"},
		{"folder", func(_ *recipe.Recipe, in *Input) { in.SRPM.File = "../k.src.rpm" }, `file of the SRPM is "../k.src.rpm", must be a name without a folder`},
		{"bytes", func(_ *recipe.Recipe, in *Input) { in.SRPM.File = "\xff" }, `file of the SRPM is "\xff", must be a name without a folder`},
		{"sha256", func(_ *recipe.Recipe, in *Input) { in.SRPM.SHA256 = "12ab" }, `sha256 of the SRPM is "12ab", must be 64 lower-case hexadecimal digits`},
		{"other sha256", func(r *recipe.Recipe, _ *Input) { r.Source.SHA256 = imageDigest },
			"sha256 of the SRPM is " + srpmDigest + ", must be the recipe's " + imageDigest},
		{"epoch", func(_ *recipe.Recipe, in *Input) { in.SRPM.Epoch = -1 }, "build time of the SRPM is -1, must be 0 or more"},
		{"several", func(_ *recipe.Recipe, in *Input) { in.Image, in.Jobs = "", -3 }, "digest of the image's definition is missing\njobs is -3, must be 1 or more"},
	}
	for _, test := range tests {
		r, in := timewait(), facts()
		test.change(&r, &in)
		p, err := New(r, in)
		if err == nil {
			t.Errorf("%s: no error, got %+v", test.name, p)
			continue
		}
		if d := cmp.Diff("planning timewait: "+test.want, err.Error()); d != "" {
			t.Errorf("%s: -want +got\n%s", test.name, d)
		}
	}
}

// TestPlanHasNoPathOfTheHost checks that two hosts with the SRPM in different
// folders have the same plan.
func TestPlanHasNoPathOfTheHost(t *testing.T) {
	var ids []string
	for _, dir := range []string{"/home/a", "/srv/b"} {
		r := timewait()
		r.Source, r.Dir = recipe.Source{File: dir + "/k.src.rpm", SHA256: srpmDigest}, dir
		ids = append(ids, mustNew(t, r, facts()).ID())
	}
	if ids[0] != ids[1] {
		t.Errorf("two IDs: %v", ids)
	}
}

// TestPlanDoesNotChange checks that a plan shares nothing with its recipe.
func TestPlanDoesNotChange(t *testing.T) {
	r := demo()
	p := mustNew(t, r, facts())
	id := p.ID()
	r.Edits[0].File, r.Packages[0], r.Rpmbuild.Define[0].Value = "changed", "changed", "changed"
	if p.ID() != id {
		t.Error("a change of the recipe has changed the plan")
	}
}

// TestIDIsStable checks that the ID does not change by accident. If the form of a
// plan's JSON is changed on purpose, the number of the form in ID goes up. Another
// text of a reason or a pin changes the ID too, so that existing locks are refused.
func TestIDIsStable(t *testing.T) {
	const want = "968ea3aa30e8c421bf5373e98e6bebd04d1c985f7d512eca2a7500c38657bb18"
	if got := mustNew(t, timewait(), facts()).ID(); got != want {
		t.Errorf("got %s", got)
	}
}

// TestIDCoversEveryField changes each value in a plan, one at a time.
func TestIDCoversEveryField(t *testing.T) {
	seen := map[string]string{}
	note := func(what string, p Plan) {
		if other, twice := seen[p.ID()]; twice {
			t.Errorf("the plan with another %s has the ID of the plan with another %s", what, other)
		}
		seen[p.ID()] = what
	}
	p := mustNew(t, demo(), facts())
	note("nothing", p)
	changes := 0
	changeEach("Plan", reflect.ValueOf(&p).Elem(), func(what string) { changes++; note(what, p) })
	if changes < 60 {
		t.Errorf("only %d changes tried", changes)
	}
	if d := cmp.Diff(mustNew(t, demo(), facts()), p); d != "" {
		t.Errorf("the test has left a change:\n%s", d)
	}
}

// TestIDDoesNotCoverMirrors checks that mirrors, which have the same bytes, do not
// change the ID. The plan shows them, and shares them with no recipe.
func TestIDDoesNotCoverMirrors(t *testing.T) {
	r := timewait()
	r.Source.Mirrors = []string{"http://a.example.org/k.src.rpm", "http://b.example.org/k.src.rpm"}
	p := mustNew(t, r, facts())
	if p.ID() != mustNew(t, timewait(), facts()).ID() {
		t.Error("the mirrors change the ID")
	}
	r.Source.Mirrors[0] = "changed"
	want := "  source     http://example.org/kernel-2.6.32-431.3.1.el6.src.rpm\n             or http://a.example.org/k.src.rpm\n             or http://b.example.org/k.src.rpm\n"
	if !strings.Contains(p.Text(), want) {
		t.Errorf("got\n%s", p.Text())
	}
}

// TestInsecure checks that an SRPM that is not trusted makes another plan, which says
// so. Its digest may differ from the recipe's.
func TestInsecure(t *testing.T) {
	r, in := timewait(), facts()
	r.Source.SHA256 = imageDigest
	in.Insecure = "package is not\x1b signed"
	p := mustNew(t, r, in)
	in.Insecure = ""
	if _, err := New(r, in); err == nil {
		t.Error("another digest than the recipe's is no error")
	}
	if !strings.Contains(p.Text(), "\n  insecure   taken although package is not\ufffd signed\n") {
		t.Errorf("got\n%s", p.Text())
	}
	other := p
	other.Insecure = ""
	if data, err := json.Marshal(p); err != nil || !strings.Contains(string(data), `"insecure":"package is not\u001b signed"`) || p.ID() == other.ID() {
		t.Errorf("%v, %s", err, data)
	}
}

// changeEach changes each value in v, calls do, and changes it back.
func changeEach(what string, v reflect.Value, do func(what string)) {
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Slice:
		for i := range v.Len() {
			changeEach(fmt.Sprintf("%s[%d]", what, i), v.Index(i), do)
		}
		if v.Len() > 0 {
			v.Set(v.Slice3(0, v.Len()-1, v.Len()-1))
			do(what + " shortened")
		}
		v.Set(reflect.Append(old.Slice3(0, old.Len(), old.Len()), reflect.Zero(v.Type().Elem())))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Mirrors" {
				continue // TestIDDoesNotCoverMirrors
			}
			changeEach(what+"."+v.Type().Field(i).Name, v.Field(i), do)
		}
		return
	default:
		panic("no change known for " + v.Type().String())
	}
	do(what)
	v.Set(old)
}

func TestText(t *testing.T) {
	own := demo()
	own.Tag = ""
	own.Source = recipe.Source{File: "/home/a/k.src.rpm", SHA256: srpmDigest, SignedBy: centosKey}
	own.Edits = []recipe.Edit{{File: "Makefile", Find: "two\nlines\x1b[2J\n", Replace: "", Times: 3},
		{In: recipe.InSpec, Find: "Release: 1", Replace: "Release: 2", Times: 1},
		{In: recipe.InSources, File: "config-x86_64", Regexp: "^# (CONFIG_NET_9P) is not set$", Replace: "$1=m", Times: 2},
	}
	small := facts()
	small.Jobs, small.MemoryBytes, small.TmpfsBytes = 1, 0, 512<<20
	open := facts()
	open.SRPM = SRPM{}
	for name, p := range map[string]Plan{
		"timewait": mustNew(t, timewait(), facts()), "demo": mustNew(t, demo(), open), "own": mustNew(t, own, small),
	} {
		golden(t, "testdata/"+name+".txt", p.Text())
	}
}

// TestCommandLine passes the line to a shell, which prints the arguments.
func TestCommandLine(t *testing.T) {
	p := Plan{Args: []string{"-bb", "--define", "note it's $HOME `x` \"100\" %", "", "a\nb", "*", "--define", "long " + strings.Repeat("x", 90), "--with", "firmware"}}
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/SPECS", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/SPECS/kernel.spec", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", "-c", `rpmbuild() { printf '<%s>' "$@"; }; `+p.CommandLine())
	c.Dir = dir
	got, err := c.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	if want := "<" + strings.Join(append(p.Args, "SPECS/kernel.spec"), "><") + ">"; string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: -want +got\n%s", name, d)
	}
}
