package main

import (
	"context"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/image"
)

func (a *app) imageCommand() *cobra.Command {
	var f buildFlags
	var base string
	c := &cobra.Command{
		Use:   "image RECIPE",
		Short: "Build the builder image of a recipe",
		Long: `image builds the builder image of a recipe if the engine does not have it yet.

With --base the tar of a root file system is imported first and replaces the base
image that the Dockerfile names: for engines that reach no registry.`,
		Example: `  namibuild image demo
  mmdebstrap --variant=apt bookworm root.tar && namibuild image demo --base root.tar`,
		Args: oneArg("a recipe"),
		RunE: func(c *cobra.Command, args []string) error { return a.image(c.Context(), args[0], base, f) },
	}
	f.addImages(c)
	c.Flags().StringVar(&base, "base", "", "use the tar `FILE` of a root file system as the base image")
	c.ValidArgsFunction = completeRecipes
	return c
}

func (a *app) image(ctx context.Context, name, base string, f buildFlags) error {
	r, err := loadRecipe(name)
	if err != nil {
		return err
	}
	if base != "" {
		if err := exists(base, "the tar of a root file system"); err != nil {
			return err
		}
	}
	link := a.connect(ctx)
	defer link.close()
	o, err := a.options(r, f, storeAndEngine, link)
	if err != nil {
		return err
	}
	_, err = watch(ctx, a, func(tell event.Sink) (engine.Image, error) {
		o.Tell = tell
		if base != "" {
			if err := image.ImportBase(ctx, o.Engine, r.Image, base, tell); err != nil {
				return engine.Image{}, err
			}
		}
		return builder.Image(ctx, o.SourceOptions)
	})
	return err
}
