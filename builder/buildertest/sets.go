// Package buildertest makes sets for tests, with the builder and a fake engine.
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

// Over makes an Engine of enginetest's, as builder.Over does of the real one.
func Over(f *enginetest.Fake) builder.Engine { return fake{f} }

type fake struct{ *enginetest.Fake }

func (f fake) Create(ctx context.Context, s engine.ContainerSpec) (builder.Container, error) {
	c, err := f.Fake.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Options are the options of a build.
type Options = builder.Options

// Setup gives the options of a build of kerneltest's kernel, and the engine that runs it.
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

// Build builds a set and gives its output directory. change may change the options.
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

// Locked builds a set from its lock, which holds the page of a recipe. change may change
// the options of the build.
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
