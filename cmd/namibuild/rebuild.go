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

// rebuildFlags are those that build has not.
type rebuildFlags struct {
	recipe, srpm string
}

func (a *app) rebuildCommand() *cobra.Command {
	var f buildFlags
	var r rebuildFlags
	c := &cobra.Command{
		Use:   "rebuild DIR|RPM|REF",
		Short: "Build a published set again, and compare it byte for byte",
		Long: `rebuild takes the lock that lies beside a published set, beside one of its packages, or
in a release of a container registry, builds the set again, puts the published
signatures on what came out, and compares. No private key is needed.

--vary changes what must not matter to a byte: --vary shuffle,jobs=3,tmpfs=4G,date=400
reads directories in another order, compiles with other jobs, builds in memory, and has
the clock and the times of new files 400 days from now. There is no word for the host's
name: a container has one of its own, and sees no other.

It ends with 0 when all is identical, 20 when every difference has a known reason, 21
when one has none, as compare does.`,
		Example: `  namibuild rebuild ./published
  namibuild rebuild ./published/RPMS/kernel-6.1.rpm --vary shuffle,jobs=3
  namibuild rebuild registry.example.org/kernels/demo:6.1.192
  namibuild rebuild out/demo --recipe demo`,
		Args: oneArg("a published directory, package or release"),
		RunE: func(c *cobra.Command, args []string) error { return a.rebuild(c.Context(), args[0], f, r) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "", "output directory (default out/RECIPE-rebuilt)")
	c.Flags().StringVar(&f.lock, "lock", "", "the lock (default the one that lies beside)")
	c.Flags().StringVar(&r.recipe, "recipe", "", "without a lock: the recipe that the build.json beside the set came from")
	c.Flags().StringVar(&r.srpm, "source", "", "the SRPM, where it lies on this host: for a recipe whose source is a file, or without a network")
	c.MarkFlagsMutuallyExclusive("lock", "recipe")
	f.images(c)
	c.Flags().BoolVar(&f.offline, "offline", envOr("NAMIBUILD_OFFLINE", "") != "", "fetch nothing ($NAMIBUILD_OFFLINE)")
	f.vary(c)
	return c
}

func (a *app) rebuild(ctx context.Context, published string, f buildFlags, from rebuildFlags) error {
	pulling := newDisplay(os.Stderr, false)
	published, done, err := a.published(ctx, pulling, published, "a published set, one of its packages, or a release (HOST/REPOSITORY:TAG)")
	pulling.Close()
	if err != nil {
		return err
	}
	defer done()
	if from.srpm != "" {
		if err := there(from.srpm, "the source RPM"); err != nil {
			return err
		}
	}
	l, r, err := locked(published, f.lock, from.recipe)
	if err != nil {
		return err
	}
	if r.Source.File != "" && from.srpm == "" {
		return usageError{fmt.Errorf("rebuilding: the source is a file, %s, and not in the lock: --source says where it lies", filepath.Base(r.Source.File))}
	}
	f.jobs, f.memory, f.tmpfs = l.Plan.Jobs, bytesFlag(l.Plan.MemoryBytes), bytesFlag(l.Plan.TmpfsBytes)
	for _, p := range l.Plan.Pins {
		if p.Off {
			f.unpinned = append(f.unpinned, p.Name)
		}
	}
	f.output = cmp.Or(f.output, filepath.Join("out", r.Name+"-rebuilt"))
	o, closeAll, err := a.options(ctx, r, f)
	if err != nil {
		return err
	}
	defer closeAll()
	o.Lock, o.SRPMFile, o.Host = &l, from.srpm, hostName()
	res, err := watch(ctx, a, func(tell event.Sink) (builder.Rebuilt, error) {
		o.Tell = tell
		return builder.Rebuild(ctx, o, published)
	})
	if err != nil {
		return err
	}
	return a.showRebuilt(res)
}

// locked gives the lock of a published set and the recipe in it.
func locked(published, file, name string) (l plan.Lock, r recipe.Recipe, err error) {
	if name != "" {
		return recordedLock(published, name)
	}
	if file == "" {
		l, err = builder.FindLock(published)
	} else {
		l, err = lockIn(file)
	}
	if err != nil {
		return l, r, err
	}
	if r, err = l.Recipe(); err != nil {
		return l, r, recipeError{err}
	}
	if l.Plan.Stock {
		r = r.AsStock()
	}
	return l, r, nil
}

func lockIn(file string) (plan.Lock, error) {
	if err := there(file, "a lock"); err != nil {
		return plan.Lock{}, err
	}
	f, err := os.Open(file)
	if err != nil {
		return plan.Lock{}, usageError{fmt.Errorf("reading the lock: %w", err)}
	}
	defer f.Close()
	l, err := plan.ParseLock(f)
	if err != nil {
		err = usageError{fmt.Errorf("%s: %w", file, err)}
	}
	return l, err
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
	if l.Plan.Stock {
		r = r.AsStock()
	}
	return l, r, err
}

// showRebuilt prints what was found; what differs is an error.
func (a *app) showRebuilt(res builder.Rebuilt) error {
	if a.json {
		a.emit(struct {
			Event string `json:"event"`
			builder.Rebuilt
		}{"result", res})
	} else {
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
	}
	if res.Verdict != compare.Identical {
		return differError{res.Verdict}
	}
	return nil
}
