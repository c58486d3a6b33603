package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/artifact"
	"namibuild/builder/event"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

func (a *app) buildCommand() *cobra.Command {
	var f buildFlags
	c := &cobra.Command{
		Use:   "build RECIPE",
		Short: "Build the packages of a recipe in a container",
		Long: `build makes the packages of a recipe: a name that "namibuild recipes" lists, or
the path of a YAML file. It checks the source, makes the edits, builds the builder
image if the engine does not have it, and runs rpmbuild in a container. If the
kernel's /dev/random can block (before Linux 5.6), rngd supplies entropy from a
container of its own; with NAMIBUILD_ENTROPY=rngd it does so on every kernel.

If everything succeeds, the output directory gets RPMS/ (the checked packages),
build.log and build.json. If not, it gets failed.log, and failed.RPMS/ if rpmbuild
made packages but not all that the recipe wants. What an earlier build left there
stays as it is.`,
		Example: `  namibuild build demo
  namibuild build ./my-kernel.yaml -o ./rpms --jobs 8`,
		Args: oneArg("a recipe"),
		RunE: func(c *cobra.Command, args []string) error { return a.build(c.Context(), args[0], f) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "", "write to `DIR` (default out/RECIPE)")
	f.addStock(c)
	c.Flags().BoolVar(&f.srpm, "srpm", false, "make the patched source RPM too, in SRPMS/")
	f.addLimits(c)
	f.addImages(c)
	f.addSource(c)
	f.addUnpin(c)
	f.addVary(c)
	f.addLocks(c)
	c.ValidArgsFunction = completeRecipes
	return c
}

// built is what build prints as JSON.
type built struct {
	set.Record
	Dir string `json:"dir"`
}

func (a *app) build(ctx context.Context, name string, f buildFlags) error {
	started := time.Now()
	r, err := f.recipe(name)
	if err != nil {
		return err
	}
	lock, err := f.readLock(name)
	if err == nil && lock == nil && f.release {
		err = &builder.LockError{}
	}
	if err != nil {
		return err
	}
	link := a.connect(ctx)
	defer link.close()
	o, err := a.options(r, f, storeAndEngine, link)
	if err != nil {
		return err
	}
	o.Lock, o.Release, o.Host = lock, f.release, hostName()
	_, err = perform(ctx, a, func(tell event.Sink) (built, error) {
		o.Tell = tell
		record, err := builder.Build(ctx, o)
		return built{record, record.Dir}, err
	}, func(b built) error { return printBuilt(os.Stdout, b.Record, time.Since(started)) })
	return err
}

func printBuilt(w io.Writer, r set.Record, took time.Duration) error {
	fmt.Fprintf(w, "\n%s, made in %s by plan %.12s\n", r.Dir, short(took), r.PlanID)
	if err := printPackages(w, r.Set); err != nil {
		return err
	}
	if p := r.SRPM; p != nil {
		fmt.Fprintf(w, "  %-58s %9s  sha256 %.12s…\n", filepath.Join("..", set.SRPMS, p.File), size(p.Size), p.SHA256)
	}
	switch key := r.Plan.ModuleKey; {
	case !key.Reproducible():
		fmt.Fprintln(w, "not reproducible: ephemeral module key (namibuild help modkey)")
	case key.Mode == string(recipe.KeyPersistent):
		fmt.Fprintf(w, "module signatures: %d by %.16s…; the private half is in no package and not in the log\n", r.Signatures, key.Fingerprint)
	}
	_, err := fmt.Fprintf(w, "install: yum install %s (keeps the running kernel; rpm -U would remove it)\n", filepath.Join(r.Dir, "*.rpm"))
	return err
}

func printPackages(w io.Writer, made artifact.Set) error {
	for _, p := range made.RPMs {
		if _, err := fmt.Fprintf(w, "  %-58s %9s  sha256 %.12s…\n", p.File, size(p.Size), p.SHA256); err != nil {
			return err
		}
	}
	return nil
}
