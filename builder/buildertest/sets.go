// Package buildertest builds sets for the tests of other packages: builder.Build with
// kerneltest's kernel and a fake engine.
package buildertest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"namibuild/builder"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/fetch"
	"namibuild/builder/kerneltest"
)

// Options are the options of a build.
type Options = builder.Options

// Over makes a builder.Engine of a fake engine, as builder.Over does of a real one.
func Over(f *enginetest.Fake) builder.Engine { return fake{f} }

type fake struct{ *enginetest.Fake }

// Create makes a container of the fake engine.
func (f fake) Create(ctx context.Context, s engine.ContainerSpec) (builder.Container, error) {
	c, err := f.Fake.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Setup returns the options of a build of kerneltest's kernel, and the engine that
// carries it out. Store and output directory are in a temporary folder of the test.
func Setup(t testing.TB) (Options, *enginetest.Fake) {
	t.Helper()
	dir := t.TempDir()
	store, err := fetch.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	f := kerneltest.Fake()
	return Options{
		PlanOptions: builder.PlanOptions{
			SourceOptions: builder.SourceOptions{Recipe: kerneltest.Recipe(t, dir), Images: kerneltest.Images, Store: store, Engine: Over(f), Version: "v1.2.3"},
			Jobs:          2, Memory: 1 << 30,
		},
		Output: filepath.Join(dir, "out"), Now: func() time.Time { return time.Unix(1800000000, 5) },
	}, f
}

// Build builds a set and returns its output directory. Each of change may change the
// options and the engine before.
func Build(t testing.TB, change ...func(*Options, *enginetest.Fake)) string {
	t.Helper()
	o, f := Setup(t)
	for _, c := range change {
		c(&o, f)
	}
	if _, err := builder.Build(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	return o.Output
}

// Locked builds a set from a lock, whose recipe has the given page, and returns its
// output directory. change may change the options.
func Locked(t testing.TB, page string, change ...func(*Options, *enginetest.Fake)) string {
	t.Helper()
	return Build(t, append(change, func(o *Options, _ *enginetest.Fake) {
		l, err := builder.Lock(context.Background(), o.PlanOptions, "timewait.yaml", []byte(page))
		if err != nil {
			t.Fatal(err)
		}
		o.Lock, o.Release = &l, true
	})...)
}
