package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/fetch"
	"namibuild/builder/recipe"
)

func (a *app) fetchCommand() *cobra.Command {
	var f buildFlags
	c := &cobra.Command{
		Use:   "fetch RECIPE...",
		Short: "Bring the sources of recipes into the store, checked, and print their paths",
		Long: `fetch downloads the source RPM of a recipe, or packs it in a container if the recipe
says so (demo), checks it, and prints its path and SHA-256. The URL is tried first,
then the recipe's mirrors. An interrupted download continues where it ended.

The sources of several recipes are fetched at the same time. If one fails, the others
are fetched all the same.`,
		Example: "  namibuild fetch demo\n  namibuild fetch centos6.5-timewait ./mine.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("%s takes recipes, and got none", c.CommandPath())}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.fetch(c.Context(), args, f) },
	}
	f.addImages(c)
	f.addSource(c)
	c.ValidArgsFunction = completeRecipes
	return c
}

// fetched is the source of a recipe as JSON.
type fetched struct {
	Recipe   string `json:"recipe"`
	Path     string `json:"path"`
	SHA256   string `json:"sha256"`
	Size     int64  `json:"size"`
	Insecure string `json:"insecure,omitempty"`
}

func (a *app) fetch(ctx context.Context, names []string, f buildFlags) error {
	recipes := make([]recipe.Recipe, len(names))
	sources := make([]builder.SourceOptions, len(names))
	for i, name := range names {
		var err error
		if recipes[i], err = loadRecipe(name); err != nil {
			return err
		}
		o, err := a.options(recipes[i], f, storeOnly, nil)
		if err != nil {
			return err
		}
		sources[i] = o.SourceOptions
	}
	link := a.connect(ctx)
	defer link.close()
	d := newDisplay(os.Stderr, false) // standard output is for the paths alone
	board := newFetchBoard(d, recipes, a.tell(d))
	for i := range sources {
		sources[i].Tell = board.teller(i)
	}
	files, failed := builder.Inputs(ctx, sources, link.forBuild)
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

func (a *app) printFetched(name string, file fetch.File) error {
	return a.print("result", fetched{name, file.Path, file.SHA256, file.Size, file.Waived}, func() error {
		_, err := fmt.Printf("%s\nsha256 %s\n", file.Path, file.SHA256)
		return err
	})
}
