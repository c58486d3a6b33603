package builder

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"namibuild/builder/fetch"
)

// inputsAtOnce is how many sources Inputs brings in side by side: enough to use a connection
// fully, and no burden for a mirror.
const inputsAtOnce = 4

// Inputs brings in the sources of several recipes side by side, each as Input does. A
// source that fails stops none of the others: its File has no path, and the error, which
// joins those of all sources, names its recipe by path, or by name if it was shipped. The
// caller closes the files.
//
// Inputs calls connect, once at most, for sources that are packed in a container, unless
// they are offline or have an engine already. The caller closes the engine.
func Inputs(ctx context.Context, all []SourceOptions, connect func() (Engine, error)) ([]fetch.File, error) {
	files, failed := make([]fetch.File, len(all)), make([]error, len(all))
	connect = sync.OnceValues(connect)
	slots := make(chan struct{}, inputsAtOnce)
	var running sync.WaitGroup
	for i, o := range all {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			files[i], failed[i] = connectedInput(ctx, o, connect)
			if failed[i] != nil && len(all) > 1 {
				failed[i] = fmt.Errorf("%s: %w", cmp.Or(o.Recipe.Path, o.Recipe.Name), failed[i])
			}
		})
	}
	running.Wait()
	return files, joined(failed)
}

// connectedInput is Input with an engine where the source needs one.
func connectedInput(ctx context.Context, o SourceOptions, connect func() (Engine, error)) (fetch.File, error) {
	if o.Recipe.Source.Pack != "" && !o.Offline && o.Engine == nil {
		e, err := connect()
		if err != nil {
			return fetch.File{}, err
		}
		o.Engine = e
	}
	f, err := Input(ctx, o)
	if err != nil {
		return fetch.File{}, err
	}
	return f, nil
}

// joined returns nil, the only error, or an error that is all of them on one line.
func joined(all []error) error {
	all = slices.DeleteFunc(all, func(err error) bool { return err == nil })
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return inputErrors(all)
}

// inputErrors are the errors of several sources.
type inputErrors []error

func (all inputErrors) Error() string {
	lines := make([]string, len(all))
	for i, err := range all {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "; ")
}

func (all inputErrors) Unwrap() []error { return all }
