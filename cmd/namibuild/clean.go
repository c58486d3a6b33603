package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) cleanCommand() *cobra.Command {
	var images, store bool
	c := &cobra.Command{
		Use:   "clean",
		Short: "Remove what killed runs have left, and on request images and the store",
		Long: `clean removes the containers and volumes that killed runs have left on the engine.
Those of running builds stay. What a killed run left beside an output directory is
removed by the next build or release there.`,
		Example: "  namibuild clean\n  namibuild clean --images --inputs",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.clean(c.Context(), images, store)
		},
	}
	c.Flags().BoolVar(&images, "images", false, "remove the builder images with the image prefix too")
	c.Flags().BoolVar(&store, "inputs", false, "remove the store of checked inputs too")
	return c
}

func (a *app) clean(ctx context.Context, images, store bool) error {
	link := a.connect(ctx)
	defer link.close()
	e, err := link.open()
	if err != nil {
		return err
	}
	n, err := e.Sweep(ctx)
	if err != nil {
		return a.cause(ctx, err)
	}
	if err := a.printRemoved(n, "containers and volumes"); err != nil {
		return err
	}
	if images {
		if n, err = e.RemoveImages(ctx); err != nil {
			return a.cause(ctx, err)
		}
		if err := a.printRemoved(n, "images"); err != nil {
			return err
		}
	}
	if !store {
		return nil
	}
	s, err := a.openStore()
	if err != nil {
		return err
	}
	if err := s.Clear(); err != nil {
		return err
	}
	return a.printRemoved(1, "store: "+s.Dir())
}

func (a *app) printRemoved(n int, what string) error {
	return a.print("removed", struct {
		Count int    `json:"count"`
		What  string `json:"what"`
	}{n, what}, func() error {
		_, err := fmt.Printf("removed %d %s\n", n, what)
		return err
	})
}
