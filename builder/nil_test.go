package builder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/image"
	"namibuild/builder/kerneltest"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

// TestNilTell checks that every function that takes a Sink works without one.
func TestNilTell(t *testing.T) {
	ctx := t.Context()
	o, _, _ := setup(t)
	o.Tell = nil
	page := []byte(kerneltest.Page)
	lock, err := Lock(ctx, o.PlanOptions, "timewait.yaml", page)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "topdir.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, do := range map[string]func() error{
		"Input":   func() error { _, err := Input(ctx, o.SourceOptions); return err },
		"Prepare": func() error { _, err := Prepare(ctx, o.SourceOptions, file); return err },
		"Image":   func() error { _, err := Image(ctx, o.SourceOptions); return err },
		"Plan":    func() error { _, _, err := Plan(ctx, o.PlanOptions); return err },
		"ImportBase": func() error {
			return image.ImportBase(ctx, fake{kerneltest.Fake()}, "centos6", filepath.Join(filepath.Dir(o.Output), "kernel.src.rpm"), nil)
		},
		"Progress": func() error { image.Progress("", nil)(engine.ImageProgress{Log: []byte("a\n")}); return nil },
		"Build and Rebuild": func() error {
			built := o
			built.Lock, built.Release = &lock, true
			if _, err := Build(ctx, built); err != nil {
				return err
			}
			again := built
			again.Output += "-again"
			_, err := Rebuild(ctx, again, o.Output)
			return err
		},
		"SourceRPM": func() error {
			o, f, _ := setup(t)
			o.Tell = nil
			f.Program = func(_ context.Context, p *enginetest.Process) engine.Exit {
				data := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.namibuild.el6", Source: true})
				p.Topdir["SRPMS/kernel-2.6.32-431.3.1.namibuild.el6.src.rpm"] = &fstest.MapFile{Data: data, Mode: 0o644}
				return engine.Exit{}
			}
			_, err := SourceRPM(ctx, o)
			return err
		},
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNilEngine checks that what cannot do without an engine says so, before it leaves anything
// in the output directory.
func TestNilEngine(t *testing.T) {
	o, _, _ := setup(t)
	o.Engine, o.SRPM = nil, true
	for name, do := range map[string]func(context.Context) error{
		"Build":     func(ctx context.Context) error { _, err := Build(ctx, o); return err },
		"Rebuild":   func(ctx context.Context) error { _, err := Rebuild(ctx, o, t.TempDir()); return err },
		"SourceRPM": func(ctx context.Context) error { _, err := SourceRPM(ctx, o); return err },
		"Image":     func(ctx context.Context) error { _, err := Image(ctx, o.SourceOptions); return err },
	} {
		if err := do(t.Context()); !errors.Is(err, ErrNoEngine) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := set.Find(o.Output); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("the output directory: %v", err)
	}
}
