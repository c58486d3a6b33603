package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"namibuild"
	"namibuild/builder/recipe"
)

func (a *app) recipesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "recipes",
		Short: "List the recipes that come with namibuild",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return a.recipes() },
	}
}

func (a *app) recipes() error {
	list, err := recipe.Shipped(namibuild.Files)
	if err != nil {
		return err
	}
	if a.json {
		for _, r := range list {
			a.emit("recipe", struct {
				Description string `json:"description"`
				Image       string `json:"image"`
				Name        string `json:"name"`
			}{r.Description, r.Image, r.Name})
		}
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 3, ' ', 0)
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, r.Image, r.Description)
	}
	return w.Flush()
}
