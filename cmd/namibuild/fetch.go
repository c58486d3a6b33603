package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/recipe"
)

// fetchesAtOnce bounds how many sources are on their way together: enough to
// fill a line, and no burden to a mirror.
const fetchesAtOnce = 4

func (a *app) fetchCommand() *cobra.Command {
	var f buildFlags
	c := &cobra.Command{
		Use:   "fetch RECIPE...",
		Short: "Bring the sources of recipes into the store, checked, and print their paths",
		Long: `fetch downloads the source RPM of a recipe, or packs it in a container where the
recipe says so (demo), checks it and prints path and sha256. The url is tried first,
then the recipe's mirrors; a download that broke off goes on where it ended.

The sources of several recipes come at the same time. One that does not come stops
none of the others.`,
		Example: "  namibuild fetch demo\n  namibuild fetch centos6.5-timewait ./mine.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("%s takes recipes, and got none", c.CommandPath())}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.fetch(c.Context(), args, f) },
	}
	f.images(c)
	f.source(c)
	c.ValidArgsFunction = completeRecipes
	return c
}

// fetched is the source of a recipe as JSON.
type fetched struct {
	Event    string `json:"event"`
	Recipe   string `json:"recipe"`
	Path     string `json:"path"`
	SHA256   string `json:"sha256"`
	Size     int64  `json:"size"`
	Insecure string `json:"insecure,omitempty"`
}

func (a *app) fetch(ctx context.Context, names []string, f buildFlags) error {
	recipes := make([]recipe.Recipe, len(names))
	for i, name := range names {
		var err error
		if recipes[i], err = loadRecipe(name); err != nil {
			return err
		}
	}
	d := newDisplay(os.Stderr, false)
	files, failed := a.fetchAll(ctx, recipes, f, newFetchBoard(d, recipes, a.tell(d)))
	d.Close()
	for i, file := range files {
		if file.Path == "" {
			continue
		}
		defer file.Close()
		if err := a.printFetched(recipes[i].Name, file); err != nil {
			return err
		}
	}
	return a.cause(ctx, failed)
}

// fetchAll brings the sources in side by side; a File without a path did not
// come, and the error says why.
func (a *app) fetchAll(ctx context.Context, recipes []recipe.Recipe, f buildFlags, board *fetchBoard) ([]fetch.File, error) {
	files, failed := make([]fetch.File, len(recipes)), make([]error, len(recipes))
	var all sync.WaitGroup
	slots := make(chan struct{}, fetchesAtOnce)
	for i, r := range recipes {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			files[i], failed[i] = a.fetchOne(ctx, r, f, board.teller(i))
			if failed[i] != nil {
				files[i] = fetch.File{}
				if len(recipes) > 1 {
					failed[i] = fmt.Errorf("%s: %w", r.Name, failed[i])
				}
			}
		})
	}
	all.Wait()
	return files, allOf(failed)
}

// allOf is nil, an only error, or all of them in one line.
func allOf(failed []error) error {
	failed = slices.DeleteFunc(failed, func(err error) bool { return err == nil })
	switch len(failed) {
	case 0:
		return nil
	case 1:
		return failed[0]
	}
	return fetchErrors(failed)
}

// fetchErrors are why several sources did not come.
type fetchErrors []error

func (f fetchErrors) Error() string {
	lines := make([]string, len(f))
	for i, err := range f {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "; ")
}

func (f fetchErrors) Unwrap() []error { return f }

func (a *app) fetchOne(ctx context.Context, r recipe.Recipe, f buildFlags, tell event.Sink) (fetch.File, error) {
	o := f.sourceOptions(r)
	var err error
	if r.Source.Pack != "" && !f.offline {
		var done func()
		var with builder.Options
		if with, done, err = a.options(ctx, r, f); err != nil {
			return fetch.File{}, err
		}
		defer done()
		o = with.SourceOptions
	} else if o.Store, err = a.openStore(); err != nil {
		return fetch.File{}, err
	}
	o.Tell = tell
	return builder.Input(ctx, o)
}

func (a *app) printFetched(name string, file fetch.File) error {
	if a.json {
		a.emit(fetched{"result", name, file.Path, file.SHA256, file.Size, file.Waived})
		return nil
	}
	_, err := fmt.Printf("%s\nsha256 %s\n", file.Path, file.SHA256)
	return err
}
