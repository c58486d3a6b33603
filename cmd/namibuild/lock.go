package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"namibuild"
	"namibuild/builder"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
)

func (a *app) lockCommand() *cobra.Command {
	var f buildFlags
	var file string
	var noImage bool
	c := &cobra.Command{
		Use:   "lock RECIPE",
		Short: "Write down everything a build is made from, so that it can be made again",
		Long: `lock writes RECIPE.lock beside the recipe (for a recipe that ships, in this folder): the
whole plan, the recipe's page, what its patches and sources contain, and the digests of
the builder image's layers. build then refuses to be another build and says what
differs; build --release refuses to run without a lock.

The image is built if the engine does not hold it; with --no-image no engine is asked and
only the image's definition is pinned, not the packages that are in it.`,
		Example: "  namibuild lock ./my-kernel.yaml\n  namibuild build ./my-kernel.yaml --release",
		Args:    oneArg("a recipe"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.lock(c.Context(), args[0], cmp.Or(file, lockFile(args[0])), noImage, f)
		},
	}
	c.Flags().StringVarP(&file, "output", "o", "", "file to write (default RECIPE.lock beside the recipe)")
	c.Flags().BoolVar(&noImage, "no-image", false, "do not ask an engine for the builder image")
	f.limits(c)
	f.images(c)
	f.source(c)
	c.ValidArgsFunction = completeRecipes
	return c
}

// locks adds build's flags about locks.
func (f *buildFlags) locks(c *cobra.Command) {
	c.Flags().StringVar(&f.lock, "lock", "", "the lock that the build has to be equal to (default RECIPE.lock beside the recipe, if it is there)")
	c.Flags().BoolVar(&f.noLock, "no-lock", false, "build without the lock that lies beside the recipe")
	c.Flags().BoolVar(&f.release, "release", false, "refuse to build without a lock")
	c.MarkFlagsMutuallyExclusive("lock", "no-lock")
	c.MarkFlagsMutuallyExclusive("release", "no-lock")
	for _, flag := range []string{"unpin", "vary", "insecure-source"} {
		c.MarkFlagsMutuallyExclusive("release", flag)
	}
}

// lockFile is where a recipe's lock lies.
func lockFile(name string) string {
	for _, end := range []string{".yaml", ".yml"} {
		name = strings.TrimSuffix(name, end)
	}
	return name + ".lock"
}

// readLock gives the lock of a build, or nothing where there is none. What is
// not said on the command line comes from it.
func (f *buildFlags) readLock(name string) (*plan.Lock, error) {
	if f.noLock {
		return nil, nil
	}
	if f.lock != "" {
		if err := there(f.lock, "a lock"); err != nil {
			return nil, err
		}
	}
	file, err := os.Open(cmp.Or(f.lock, lockFile(name)))
	if f.lock == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("reading the lock: %w", err)}
	}
	defer file.Close()
	l, err := plan.ParseLock(file)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", file.Name(), err)}
	}
	f.jobs = cmp.Or(f.jobs, l.Plan.Jobs)
	f.memory = cmp.Or(f.memory, bytesFlag(l.Plan.MemoryBytes))
	f.tmpfs = cmp.Or(f.tmpfs, bytesFlag(l.Plan.TmpfsBytes))
	return &l, nil
}

func (a *app) lock(ctx context.Context, name, file string, noImage bool, f buildFlags) error {
	r, err := loadRecipe(name)
	if err != nil {
		return err
	}
	page, data, err := recipe.Page(name, namibuild.Files)
	if err != nil {
		return recipeError{err}
	}
	o, done, err := a.lockOptions(ctx, r, noImage, f)
	if err != nil {
		return err
	}
	defer done()
	d := newDisplay(os.Stdout, a.json)
	defer d.Close()
	o.Tell = a.tell(d)
	l, err := builder.MakeLock(ctx, o, page, data)
	if err != nil {
		return a.cause(ctx, err)
	}
	text, err := l.Write()
	if err != nil {
		return err
	}
	if err := builder.WriteWhole(file, text); err != nil {
		return &builder.OutputError{Dir: filepath.Dir(file), Err: err}
	}
	d.Close()
	if a.json {
		a.emit(map[string]any{"event": "result", "lock": file, "planID": l.Plan.ID(), "imageLayers": l.Layers})
		return nil
	}
	_, err = fmt.Printf("%s\nplan %s\n", file, l.Plan.ID())
	return err
}

// lockOptions are those of a build, or of a plan where no engine is asked.
func (a *app) lockOptions(ctx context.Context, r recipe.Recipe, noImage bool, f buildFlags) (builder.Options, func(), error) {
	if !noImage {
		return a.options(ctx, r, f)
	}
	o := builder.Options{Recipe: r, Images: namibuild.Files, NoCache: f.noCache, Offline: f.offline, InsecureSource: f.insecure, Version: version().Version, Program: executableDigest()}
	store, err := a.openStore()
	if err != nil {
		return o, nil, err
	}
	o.Store = store
	return o, func() {}, f.setLimits(&o, runtime.NumCPU())
}
