package main

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/plan"
	"namibuild/builder/source"
)

func (a *app) planCommand() *cobra.Command {
	var f buildFlags
	c := &cobra.Command{
		Use:   "plan RECIPE",
		Short: "Print what build would do, and the diff of every edited file",
		Long: `plan prints what build would do, down to the environment and rpmbuild's arguments,
and the unified diff of every file that the recipe changes. It needs the source, which
it fetches if it is not in the store. It starts no container: a source that is packed in
one, such as that of demo, must be in the store ("namibuild fetch demo" packs it).`,
		Example: "  namibuild plan demo\n  namibuild plan ./my-kernel.yaml > plan.diff",
		Args:    oneArg("a recipe"),
		RunE:    func(c *cobra.Command, args []string) error { return a.plan(c.Context(), args[0], f) },
	}
	f.addStock(c)
	f.addLimits(c)
	f.addSource(c)
	f.addCache(c)
	f.addUnpin(c)
	c.ValidArgsFunction = completeRecipes
	return c
}

// planned is the plan as JSON.
type planned struct {
	PlanID  string          `json:"planID"`
	Plan    plan.Plan       `json:"plan"`
	Renames []source.Rename `json:"renames"`
	Notes   []string        `json:"notes"`
	Diff    string          `json:"diff"`
}

func (a *app) plan(ctx context.Context, name string, f buildFlags) error {
	r, err := f.recipe(name)
	if err != nil {
		return err
	}
	o, err := a.options(r, f, storeOnly, nil)
	if err != nil {
		return err
	}
	d := newDisplay(os.Stderr, false) // standard output is for the plan alone
	defer d.Close()
	o.Tell = a.tell(d)
	p, preview, err := builder.Plan(ctx, o.PlanOptions)
	d.Close()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		if !a.json && p.Name != "" {
			fmt.Print(p.Text() + "\nthis plan is incomplete: the changes in the source are not known\n")
		}
		return err
	}
	return a.print("plan", planned{p.ID(), p, preview.Renames, preview.Notes, preview.Diff()}, func() error {
		return printPlan(os.Stdout, p, preview)
	})
}

func printPlan(w *os.File, p plan.Plan, preview source.Preview) error {
	fmt.Fprint(w, p.Text())
	if len(preview.Renames) > 0 {
		fmt.Fprintf(w, "\nrenamed in %s\n", preview.Package)
	}
	for _, r := range preview.Renames {
		fmt.Fprintf(w, "  %-13s %s -> %s\n", r.What, cmp.Or(r.From, "(empty)"), r.To)
	}
	for _, note := range preview.Notes {
		fmt.Fprintf(w, "\nnote: %s\n", note)
	}
	for _, warning := range preview.Warnings {
		fmt.Fprintf(w, "\nwarning: %s\n", warning)
	}
	_, err := fmt.Fprintf(w, "\n%s", preview.Diff())
	return err
}
