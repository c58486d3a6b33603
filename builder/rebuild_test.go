package builder

import (
	"bytes"
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
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
	"namibuild/builder/vary"
)

// published builds a set by a lock and gives its directory with options to build
// it again.
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

// signAll puts signatures on the packages of a set, as if by a key that is
// elsewhere by now.
func signAll(t *testing.T, dir string, withDigests bool) {
	t.Helper()
	file := filepath.Join(dir, set.RPMS, kernelRPM)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(data)
	p, err := rpm.ReadPackage(r)
	if err != nil {
		t.Fatal(err)
	}
	payload := data[p.PayloadOffset:]
	if withDigests {
		if p, err = p.WithPayloadDigests(bytes.NewReader(payload)); err != nil {
			t.Fatal(err)
		}
	}
	if p, err = p.WithSignatures(rpm.BytesValue(rpm.SigTagRSA, signature)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := p.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	out.Write(payload)
	if err := os.WriteFile(file, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// signature is a signature packet of the form that rpm takes: version 4, by RSA
// with SHA-256, made at 0 by the key 1, of one bit.
var signature = []byte{0x88, 26, 4, 0, 1, 8, 0, 6, 5, 2, 0, 0, 0, 0, 0, 10, 9, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0}

func init() { signature = append(signature, 0, 1, 1); signature[1] = byte(len(signature) - 2) }

func TestRebuild(t *testing.T) {
	for name, legacy := range map[string]bool{"digests of today": false, "digests added by signing": true} {
		t.Run(name, func(t *testing.T) {
			dir, o, f := published(t, legacy)
			signAll(t, dir, legacy)
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

// The SRPM may lie elsewhere, if it is the locked one.
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

// One package is compared alone, with the set built from the lock beside it.
func TestRebuildOnePackage(t *testing.T) {
	dir, o, _ := published(t, false)
	r, err := Rebuild(context.Background(), o, filepath.Join(dir, set.RPMS, kernelRPM))
	if err != nil || r.Verdict != compare.Identical || len(r.Pairs) != 1 || !r.Grafts[0].Equal {
		t.Errorf("got %+v, %v", r, err)
	}
}

// A build that differs is told apart, with its reason; no graft is equal.
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

// Without a lock, the record beside the set and the recipe make one.
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
	if _, err := FindLock(filepath.Join(dir, set.RPMS, kernelRPM)); err == nil || !strings.HasSuffix(err.Error(), "holds 2 locks: second.lock, timewait.lock") {
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
