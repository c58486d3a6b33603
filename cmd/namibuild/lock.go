package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"namibuild"
	"namibuild/builder"
	"namibuild/builder/durable"
	"namibuild/builder/event"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
)

func (a *app) lockCommand() *cobra.Command {
	var f buildFlags
	var noImage bool
	c := &cobra.Command{
		Use:   "lock RECIPE",
		Short: "Write down everything a build is made from, so that it can be repeated",
		Long: `lock writes RECIPE.lock beside the recipe (into the current folder for a recipe that
comes with namibuild). A lock holds the whole plan, the recipe's page, the content of
its patches and sources, and the digests of the builder image's layers. build refuses
a build that differs from its lock and says what differs; build --release refuses to
run without a lock.

The builder image is built if the engine does not have it. --no-image needs no engine
and pins only the image's definition, not the packages in the image.`,
		Example: "  namibuild lock ./my-kernel.yaml\n  namibuild build ./my-kernel.yaml --release",
		Args:    oneArg("a recipe"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.lock(c.Context(), args[0], noImage, f)
		},
	}
	c.Flags().StringVarP(&f.output, "output", "o", "", "write to `FILE` (default RECIPE.lock beside the recipe)")
	c.Flags().BoolVar(&noImage, "no-image", false, "use no engine: pin only the image's definition")
	f.addLimits(c)
	f.addImages(c)
	f.addSource(c)
	c.ValidArgsFunction = completeRecipes
	return c
}

// lockFile returns the path of a recipe's lock.
func lockFile(name string) string {
	for _, end := range []string{".yaml", ".yml"} {
		name = strings.TrimSuffix(name, end)
	}
	return name + ".lock"
}

// readLock reads the lock of a build; it is nil if there is none. Limits that the command
// line does not set are taken from the lock.
func (f *buildFlags) readLock(name string) (*plan.Lock, error) {
	if f.noLock {
		return nil, nil
	}
	file := cmp.Or(f.lock, lockFile(name))
	if _, err := os.Stat(file); f.lock == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	l, err := openLock(file)
	if err != nil {
		return nil, err
	}
	f.jobs = cmp.Or(f.jobs, l.Plan.Jobs)
	f.memory = cmp.Or(f.memory, bytesFlag(l.Plan.MemoryBytes))
	f.tmpfs = cmp.Or(f.tmpfs, bytesFlag(l.Plan.TmpfsBytes))
	return &l, nil
}

// openLock reads a lock.
func openLock(file string) (plan.Lock, error) {
	if err := exists(file, "a lock"); err != nil {
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

// locked is what lock prints as JSON.
type locked struct {
	ImageLayers []string `json:"imageLayers"`
	Lock        string   `json:"lock"`
	PlanID      string   `json:"planID"`
}

func (a *app) lock(ctx context.Context, name string, noImage bool, f buildFlags) error {
	r, err := loadRecipe(name)
	if err != nil {
		return err
	}
	page, data, err := recipe.Page(name, namibuild.Files)
	if err != nil {
		return recipeError{err}
	}
	need := storeAndEngine
	if noImage {
		need = storeOnly
	}
	link := a.connect(ctx)
	defer link.close()
	o, err := a.options(r, f, need, link)
	if err != nil {
		return err
	}
	file := cmp.Or(f.output, lockFile(name))
	_, err = perform(ctx, a, func(tell event.Sink) (locked, error) {
		o.Tell = tell
		l, err := builder.Lock(ctx, o.PlanOptions, page, data)
		if err == nil {
			err = writeLock(l, file)
		}
		return locked{l.Layers, file, l.Plan.ID()}, err
	}, func(l locked) error {
		_, err := fmt.Printf("%s\nplan %s\n", l.Lock, l.PlanID)
		return err
	})
	return err
}

func writeLock(l plan.Lock, file string) error {
	text, err := l.Write()
	if err != nil {
		return err
	}
	if err := durable.WriteFile(file, text, 0o666); err != nil {
		return &durable.Error{Path: file, Err: err}
	}
	return nil
}
