package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"namibuild"
	"namibuild/builder"
	"namibuild/builder/compare"
	"namibuild/builder/event"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
)

// rebuildFlags are the flags that only rebuild has.
type rebuildFlags struct {
	recipe, srpm string
}

func (a *app) rebuildCommand() *cobra.Command {
	var f buildFlags
	var r rebuildFlags
	c := &cobra.Command{
		Use:   "rebuild DIR|RPM|REF",
		Short: "Build a published set again, and compare it byte for byte",
		Long: `rebuild finds the lock of a published set, which lies beside the set, beside one of
its packages, or in a release in a container registry. It builds the set again, puts
the published signatures on the new packages, and compares. It needs no private key.

--vary changes what should not affect the packages: shuffle,jobs=3,tmpfs=4G,date=400
reads directories in another order, compiles with 3 jobs, builds in memory, and sets the
clock and the times of new files 400 days from now. The host's name needs no such word,
since a container has a name of its own and does not see the host's.

The exit code is 0 if all is identical, 20 if every difference has a known reason, and
21 if one has none, as for compare.`,
		Example: `  namibuild rebuild ./published
  namibuild rebuild ./published/RPMS/kernel-6.1.rpm --vary shuffle,jobs=3
  namibuild rebuild registry.example.org/kernels/demo:6.1.192
  namibuild rebuild out/demo --recipe demo`,
		Args: oneArg("a published directory, package or release"),
		RunE: func(c *cobra.Command, args []string) error { return a.rebuild(c.Context(), args[0], f, r) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "", "write to `DIR` (default out/RECIPE-rebuilt)")
	c.Flags().StringVar(&f.lock, "lock", "", "use the lock in `FILE` (default the one beside the set)")
	c.Flags().StringVar(&r.recipe, "recipe", "", "if there is no lock, use `RECIPE`, from which the build.json beside the set was made")
	c.Flags().StringVar(&r.srpm, "source", "", "read the SRPM from `FILE`: for a recipe whose source is a file, or without a network")
	exclusive(c, "lock", "recipe")
	f.addImages(c)
	f.addOffline(c)
	f.addVary(c)
	return c
}

func (a *app) rebuild(ctx context.Context, where string, f buildFlags, from rebuildFlags) error {
	pulling := newDisplay(os.Stderr, false)
	published, remove, err := a.published(ctx, pulling, where, "a published set, one of its packages, or a release (HOST/REPOSITORY:TAG)")
	pulling.Close()
	if err != nil {
		return err
	}
	defer remove()
	if from.srpm != "" {
		if err := exists(from.srpm, "the source RPM"); err != nil {
			return err
		}
	}
	l, r, err := lockOf(published, f.lock, from.recipe)
	if err != nil {
		return err
	}
	if r.Source.File != "" && from.srpm == "" {
		return usageError{fmt.Errorf("rebuilding: the source is a file, %s, which is not in the lock: say with --source where it is", filepath.Base(r.Source.File))}
	}
	f.follow(l.Plan)
	f.output = cmp.Or(f.output, filepath.Join("out", r.Name+"-rebuilt"))
	link := a.connect(ctx)
	defer link.close()
	o, err := a.options(r, f, storeAndEngine, link)
	if err != nil {
		return err
	}
	o.Lock, o.SRPMFile, o.Host = &l, from.srpm, hostName()
	res, err := perform(ctx, a, func(tell event.Sink) (builder.Rebuilt, error) {
		o.Tell = tell
		return builder.Rebuild(ctx, o, published)
	}, printRebuilt)
	if err == nil && res.Verdict != compare.Identical {
		err = differError{res.Verdict}
	}
	return err
}

// follow sets the limits and pins of a plan.
func (f *buildFlags) follow(p plan.Plan) {
	f.jobs, f.memory, f.tmpfs = p.Jobs, bytesFlag(p.MemoryBytes), bytesFlag(p.TmpfsBytes)
	for _, pin := range p.Pins {
		if pin.Off {
			f.unpinned = append(f.unpinned, pin.Name)
		}
	}
}

// lockOf returns the lock of a published set, from a file if one is named, and its recipe.
// With a recipe's name, it makes a lock of that recipe and the record beside the set.
func lockOf(published, file, name string) (l plan.Lock, r recipe.Recipe, err error) {
	switch {
	case name != "":
		l, r, err = recordedLock(published, name)
	case file != "":
		l, err = openLock(file)
	default:
		l, err = builder.FindLock(published)
	}
	if err != nil {
		return l, r, err
	}
	if name == "" {
		if r, err = l.Recipe(); err != nil {
			return l, r, recipeError{err}
		}
	}
	if l.Plan.Stock {
		r = r.AsStock()
	}
	return l, r, nil
}

// recordedLock makes a lock of a recipe and the record beside a set.
func recordedLock(published, name string) (plan.Lock, recipe.Recipe, error) {
	r, err := loadRecipe(name)
	if err != nil {
		return plan.Lock{}, r, err
	}
	file, page, err := recipe.Page(name, namibuild.Files)
	if err != nil {
		return plan.Lock{}, r, recipeError{err}
	}
	l, err := builder.LockOf(published, r, file, page)
	return l, r, err
}

// printRebuilt prints the comparison, the packages that are the published ones again, and
// what was varied.
func printRebuilt(res builder.Rebuilt) error {
	fmt.Println()
	if err := printComparison(os.Stdout, res.Comparison); err != nil {
		return err
	}
	for _, g := range res.Grafts {
		if g.Equal {
			fmt.Printf("%s: with the published signatures on it, sha256 %.12s… is the published file\n", g.Package, g.Grafted)
		}
	}
	if len(res.Varied) > 0 {
		fmt.Printf("varied: %s\n", strings.Join(res.Varied, ", "))
	}
	return nil
}
