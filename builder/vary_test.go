package builder

import (
	"context"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/kerneltest"
	"namibuild/builder/leak"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
	"namibuild/builder/vary"
)

// TestVariedDate checks that the libraries of a varied build reach the container in
// the topdir, and the date in the environment, and that the plan is that of a build
// that is not varied.
func TestVariedDate(t *testing.T) {
	o, f, _ := setup(t)
	now := time.Unix(1800000000, 0) // 2027-01-15
	o.Now = func() time.Time { return now }
	plain, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	var sent fstest.MapFS
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		sent = p.Topdir
		return kerneltest.Rpmbuild(ctx, p)
	}
	o.Vary = vary.Options{Shuffle: true, Days: -30}
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.PlanID != plain.PlanID || !slices.Equal(res.Varied, []string{"shuffle", "date=-30"}) || res.Run.Days != -30 {
		t.Errorf("got plan %s, varied %q, %+v", res.PlanID, res.Varied, res.Run)
	}
	specs := f.Specs()
	before, varied := specs[len(specs)-2], specs[len(specs)-1]
	if want := append(slices.Clone(before.Env), "NAMIBUILD_DATE=-2592000 1799999940"); !slices.Equal(varied.Env, want) {
		t.Errorf("the environment is %q, want %q", varied.Env, want)
	}
	const folder = "VARY/images/vary/"
	if want := append([]string{"/bin/sh", before.Topdir + "/" + folder + "preload.sh", "shuffle date"}, before.Command...); !slices.Equal(varied.Command, want) {
		t.Errorf("the command is %q, want %q", varied.Command, want)
	}
	for _, file := range []string{folder + "preload.sh", "VARY/images/common/pins/stat.c", "SPECS/kernel.spec"} {
		if sent[file] == nil {
			t.Errorf("%s is not in the topdir", file)
		}
	}
	o.Vary = vary.Options{CPUs: "0"}
	if _, err := Build(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if sent[folder+"preload.sh"] != nil {
		t.Error("the topdir has the libraries, and the build preloads none")
	}
}

// TestVariedDateLeaks checks that a build looks for the day on which it has run in its
// packages, and that Check does so too.
func TestVariedDateLeaks(t *testing.T) {
	o, f, _ := setup(t)
	o.Now = func() time.Time { return time.Unix(1800000000, 0) }
	o.Vary.Days = 400
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		pkg := kerneltest.Package("431.3.1.namibuild")
		pkg.Files[0].Content = "made on 2028-02-19, not on 2027-01-15\n"
		p.Topdir["RPMS/"+kernelRPM] = &fstest.MapFile{Data: rpmtest.Build(pkg), Mode: 0o644}
		return engine.Exit{}
	}
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Check(context.Background(), o.Output, o.Host)
	if err != nil {
		t.Fatal(err)
	}
	for _, leaks := range [][]set.Leaks{res.Leaks, again} {
		var dates []string
		for _, l := range leaks[0].Leaks {
			if l.Kind == leak.Date {
				dates = append(dates, l.Got)
			}
		}
		if !slices.Equal(dates, []string{"2028-02-19"}) {
			t.Errorf("found %q", dates)
		}
	}
}

// TestVariedDateBeforeTheSource checks that a build cannot run on a day before its
// source was made.
func TestVariedDateBeforeTheSource(t *testing.T) {
	o, _, _ := setup(t)
	o.Now = func() time.Time { return time.Unix(1389000000+86400, 0) }
	o.Vary.Days = -2
	_, err := Build(context.Background(), o)
	if want := "varying the date: 2014-01-05 is before the source was made, 2014-01-06"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	o.Vary.Days = -1
	if _, err := Build(context.Background(), o); err != nil {
		t.Errorf("on the day itself: %v", err)
	}
}
