package builder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"namibuild/builder/kerneltest"
)

// functions are the functions of this package that take options. needsEngine tells which
// of them need a container in any case.
var functions = map[string]struct {
	call        func(context.Context, Options) error
	needsEngine bool
}{
	"Input": {func(ctx context.Context, o Options) error { _, err := Input(ctx, o.SourceOptions); return err }, false},
	"Prepare": {func(ctx context.Context, o Options) error {
		f, err := os.Create(o.Output + ".tar")
		if err != nil {
			return err
		}
		_, err = Prepare(ctx, o.SourceOptions, f)
		return errors.Join(err, f.Close())
	}, false},
	"Plan": {func(ctx context.Context, o Options) error { _, _, err := Plan(ctx, o.PlanOptions); return err }, false},
	"Lock": {func(ctx context.Context, o Options) error {
		_, err := Lock(ctx, o.PlanOptions, "timewait.yaml", []byte(kerneltest.Page))
		return err
	}, false},
	"Image":     {func(ctx context.Context, o Options) error { _, err := Image(ctx, o.SourceOptions); return err }, true},
	"Build":     {func(ctx context.Context, o Options) error { _, err := Build(ctx, o); return err }, true},
	"SourceRPM": {func(ctx context.Context, o Options) error { _, err := SourceRPM(ctx, o); return err }, true},
	"Rebuild": {func(ctx context.Context, o Options) error {
		published := o.Output
		o.Output += "-rebuilt"
		_, err := Rebuild(ctx, o, published)
		return err
	}, true},
}

// TestNilTell checks that every function drops its events if nobody listens.
func TestNilTell(t *testing.T) {
	for name, f := range functions {
		t.Run(name, func(t *testing.T) {
			o, fake, _ := setup(t)
			o.Tell = nil
			switch name {
			case "SourceRPM":
				fake.Program = sourceRPM
			case "Rebuild":
				if _, err := Build(t.Context(), o); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.call(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNilEngine checks that without an engine a function refuses before it fetches or
// writes anything, if it needs a container, and otherwise does its work.
func TestNilEngine(t *testing.T) {
	for name, f := range functions {
		t.Run(name, func(t *testing.T) {
			o, _, events := setup(t)
			o.Engine = nil
			err := f.call(t.Context(), o)
			if !f.needsEngine {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, ErrNoEngine) {
				t.Errorf("got %v", err)
			}
			if len(*events) > 0 {
				t.Errorf("events: %v", *events)
			}
			if written := names(t, filepath.Dir(o.Output)); len(written) != 2 { // the SRPM and the store, which setup makes
				t.Errorf("written: %v", written)
			}
		})
	}
}
