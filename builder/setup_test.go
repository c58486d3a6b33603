package builder

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/kerneltest"
)

// fake is an Engine over enginetest's. Package buildertest has the same for other
// packages; it imports this one.
type fake struct{ *enginetest.Fake }

func (f fake) Create(ctx context.Context, s engine.ContainerSpec) (Container, error) {
	c, err := f.Fake.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// setup returns the options of a build of kerneltest's kernel, the fake engine that carries
// it out, and the list that its events are added to.
func setup(t *testing.T) (Options, *enginetest.Fake, *[]event.Event) {
	t.Helper()
	dir := t.TempDir()
	store, err := fetch.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	f := kerneltest.Fake()
	events := &[]event.Event{}
	return Options{
		PlanOptions: PlanOptions{
			SourceOptions: SourceOptions{
				Recipe: kerneltest.Recipe(t, dir), Images: kerneltest.Images, Store: store, Engine: fake{f}, Version: "v1.2.3", Program: "0123abcd",
				Tell: func(e event.Event) { *events = append(*events, e) },
			},
			Jobs: 2, Memory: 1 << 30,
		},
		Output: filepath.Join(dir, "out"), Now: func() time.Time { return time.Unix(1800000000, 5) },
	}, f, events
}
