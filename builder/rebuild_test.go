package builder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/compare"
	"namibuild/builder/durable"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/fetch"
	"namibuild/builder/kerneltest"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
	"namibuild/builder/vary"
)

// published builds a set by a lock and returns its directory, and the options and the engine to
// build it again. legacy builds it in the package format of EL6.
func published(t *testing.T, legacy bool) (dir string, o Options, f *enginetest.Fake) {
	t.Helper()
	o, f, _ = setup(t)
	if legacy {
		f.Program = kerneltest.LegacyRpmbuild
	}
	page := []byte("name: timewait\n") // the recipe's options are o's
	l, err := Lock(context.Background(), o.PlanOptions, "timewait.yaml", page)
	if err != nil {
		t.Fatal(err)
	}
	o.Lock, o.Release = &l, true
	if _, err := Build(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	dir, o.Output, o.Release = o.Output, filepath.Join(t.TempDir(), "rebuilt"), false
	return dir, o, f
}

const kernelRPM = "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"

// sign signs the package of a set, as if with a key that this host does not have.
func sign(t *testing.T, dir string, withDigests bool) {
	t.Helper()
	file := filepath.Join(dir, set.RPMS, kernelRPM)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, kerneltest.Signed(t, data, withDigests), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestRebuild checks that a rebuild under other conditions is identical, and that the published
// signatures make its packages the published ones.
func TestRebuild(t *testing.T) {
	for name, legacy := range map[string]bool{"digests of today": false, "digests added by signing": true} {
		t.Run(name, func(t *testing.T) {
			dir, o, f := published(t, legacy)
			sign(t, dir, legacy)
			l, err := FindLock(dir)
			if err != nil {
				t.Fatal(err)
			}
			o.Lock = &l
			o.Vary = vary.Options{Shuffle: true, Jobs: 7, Tmpfs: 1 << 30}
			r, err := Rebuild(context.Background(), o, dir)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != compare.Identical || len(r.Grafts) != 1 || !r.Grafts[0].Equal || r.PlanID != l.Plan.ID() {
				t.Errorf("got %+v", r)
			}
			if diff := cmp.Diff([]string{"shuffle", "jobs=7", "tmpfs=1073741824"}, r.Varied); diff != "" {
				t.Error(diff)
			}
			spec := f.Specs()[len(f.Specs())-1]
			if !slices.Contains(spec.Command, "_smp_mflags -j7") || spec.TopdirSize != 1<<30 || spec.Memory != o.Memory+5<<30+1<<30 {
				t.Errorf("the container was not varied: %+v", spec)
			}
		})
	}
}

// TestRebuildFromAnotherPlace checks that SRPMFile replaces the recipe's source, if it is the
// locked SRPM.
func TestRebuildFromAnotherPlace(t *testing.T) {
	dir, o, _ := published(t, false)
	moved := filepath.Join(t.TempDir(), "moved.src.rpm")
	if err := os.Rename(o.Recipe.Source.File, moved); err != nil {
		t.Fatal(err)
	}
	o.SRPMFile = moved
	if r, err := Rebuild(context.Background(), o, dir); err != nil || r.Verdict != compare.Identical {
		t.Errorf("got %+v, %v", r, err)
	}
	if err := os.WriteFile(moved, []byte("another"), 0o666); err != nil {
		t.Fatal(err)
	}
	var digest *fetch.DigestError
	if _, err := Rebuild(context.Background(), o, dir); !errors.As(err, &digest) || !strings.HasPrefix(err.Error(), "checking moved.src.rpm: ") {
		t.Errorf("another file: %v", err)
	}
}

// TestRebuildOnePackage checks that one published package is compared alone.
func TestRebuildOnePackage(t *testing.T) {
	dir, o, _ := published(t, false)
	r, err := Rebuild(context.Background(), o, filepath.Join(dir, set.RPMS, kernelRPM))
	if err != nil || r.Verdict != compare.Identical || len(r.Pairs) != 1 || !r.Grafts[0].Equal {
		t.Errorf("got %+v, %v", r, err)
	}
}

// TestRebuildDiffers checks that a difference is found, with its reason, and that no graft is
// equal.
func TestRebuildDiffers(t *testing.T) {
	dir, o, f := published(t, false)
	for name, test := range map[string]struct {
		change func(*rpmtest.Package)
		want   compare.Verdict
	}{
		"clock":   {func(p *rpmtest.Package) { p.BuildTime = 1400000000 }, compare.Explained},
		"content": {func(p *rpmtest.Package) { p.Files[0].Content = "y" }, compare.Unexplained},
	} {
		t.Run(name, func(t *testing.T) {
			f.Program = func(_ context.Context, p *enginetest.Process) engine.Exit {
				pkg := kerneltest.Package("431.3.1.namibuild")
				test.change(&pkg)
				p.Topdir["RPMS/x86_64/"+kernelRPM] = &fstest.MapFile{Data: rpmtest.Build(pkg), Mode: 0o644}
				return engine.Exit{}
			}
			r, err := Rebuild(context.Background(), o, dir)
			if err != nil || r.Verdict != test.want || r.Grafts[0].Equal {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

// TestRebuildByTheRecord checks that the record of the set and the recipe make a lock, and that
// another recipe is refused.
func TestRebuildByTheRecord(t *testing.T) {
	dir, o, _ := published(t, false)
	if err := os.Remove(filepath.Join(dir, "timewait.lock")); err != nil {
		t.Fatal(err)
	}
	var none *NoLockError
	if _, err := FindLock(dir); !errors.As(err, &none) {
		t.Errorf("no lock: %v", err)
	}
	l, err := LockOf(dir, o.Recipe, "timewait.yaml", []byte("name: timewait\n"))
	if err != nil {
		t.Fatal(err)
	}
	o.Lock = &l
	if r, err := Rebuild(context.Background(), o, dir); err != nil || r.Verdict != compare.Identical {
		t.Errorf("got %+v, %v", r, err)
	}
	o.Recipe.Tag = "other"
	var other *LockError
	if _, err := Rebuild(context.Background(), o, dir); !errors.As(err, &other) {
		t.Errorf("by another recipe: %v", err)
	}
}

// TestRebuildRefuses checks that a rebuild does not write to the published set, and that a set
// with two locks or a broken one is an error.
func TestRebuildRefuses(t *testing.T) {
	dir, o, _ := published(t, false)
	o.Output = dir
	var output *durable.Error
	if _, err := Rebuild(context.Background(), o, dir); !errors.As(err, &output) {
		t.Errorf("into the published set: %v", err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "timewait.lock")); err != nil {
		t.Error(err)
	} else if err := os.WriteFile(filepath.Join(dir, "second.lock"), data, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := FindLock(filepath.Join(dir, set.RPMS, kernelRPM)); err == nil || !strings.HasSuffix(err.Error(), "has 2 locks: second.lock, timewait.lock") {
		t.Errorf("two locks: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "second.lock"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, "timewait.lock"))
	if _, err := FindLock(dir); err == nil || !strings.Contains(err.Error(), "second.lock: reading the lock") {
		t.Errorf("a broken lock: %v", err)
	}
}
