package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"namibuild"
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
and the unified diff of every file that the recipe changes. It needs the source
(fetched if it is not in the store) and starts no container.`,
		Example: "  namibuild plan demo\n  namibuild plan ./my-kernel.yaml > plan.diff",
		Args:    oneArg("a recipe"),
		RunE:    func(c *cobra.Command, args []string) error { return a.plan(c.Context(), args[0], f) },
	}
	f.changes(c)
	f.limits(c)
	f.source(c)
	f.cache(c)
	f.unpin(c)
	c.ValidArgsFunction = completeRecipes
	return c
}

// planned is the plan as JSON.
type planned struct {
	Event   string          `json:"event"`
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
	store, err := a.openStore()
	if err != nil {
		return err
	}
	d := newDisplay(os.Stderr, false)
	defer d.Close()
	o := builder.Options{Recipe: r, Images: namibuild.Files, Store: store, NoCache: f.noCache, Offline: f.offline, InsecureSource: f.insecure,
		Version: version().Version, Program: executableDigest(), Tell: a.tell(d)}
	if err := errors.Join(f.setLimits(&o, runtime.NumCPU()), f.setPins(&o)); err != nil {
		return err
	}
	p, preview, err := builder.Dry(ctx, o)
	d.Close()
	if err != nil && !a.json && p.Name != "" {
		fmt.Print(p.Text() + "\nthis plan is incomplete: what it changes in the source is not known\n")
	}
	if err != nil {
		return a.cause(ctx, err)
	}
	if a.json {
		a.emit(planned{"plan", p.ID(), p, preview.Renames, preview.Notes, preview.Diff()})
		return nil
	}
	return printPlan(os.Stdout, p, preview)
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
