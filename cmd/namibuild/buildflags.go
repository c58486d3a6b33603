package main

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"namibuild"
	"namibuild/builder"
	"namibuild/builder/recipe"
)

// buildFlags are the flags that verbs with a recipe or a container share. A verb adds
// those groups of them that it has.
type buildFlags struct {
	output   string
	jobs     int
	memory   bytesFlag
	tmpfs    bytesFlag
	args     []string
	noCache  bool
	offline  bool
	insecure bool
	stock    bool
	unpinned []string
	varied   []string
	srpm     bool
	lock     string
	noLock   bool
	release  bool
}

// addStock adds the flag that leaves the recipe's changes out.
func (f *buildFlags) addStock(c *cobra.Command) {
	c.Flags().BoolVar(&f.stock, "stock", false, "leave the recipe's changes out: build the vendor's own kernel, to compare with (into out/RECIPE-stock)")
}

// addLimits adds the limits of the container, which are part of the plan.
func (f *buildFlags) addLimits(c *cobra.Command) {
	c.Flags().IntVarP(&f.jobs, "jobs", "j", 0, "run `N` jobs of make (default the engine's processors; plan takes this host's)")
	c.Flags().Var(&f.memory, "memory", "memory limit of the container, such as 6G (default 2G and 1G a job)")
	c.Flags().Var(&f.tmpfs, "tmpfs", "build in memory, in a tmpfs of this size, such as 20G")
}

// addImages adds the flags about builder images.
func (f *buildFlags) addImages(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.args, "image-arg", nil, "build argument of the builder image, `NAME=VALUE`: DEBIAN_MIRROR, DEBIAN_SECURITY_MIRROR, VAULT")
	f.addCache(c)
}

func (f *buildFlags) addCache(c *cobra.Command) {
	c.Flags().BoolVar(&f.noCache, "no-cache", envOr("NAMIBUILD_NO_CACHE", "") != "", "use neither the engine's build cache for an image nor what an earlier run has kept of a source ($NAMIBUILD_NO_CACHE)")
}

func (f *buildFlags) addOffline(c *cobra.Command) {
	c.Flags().BoolVar(&f.offline, "offline", envOr("NAMIBUILD_OFFLINE", "") != "", "fetch nothing: use the store and the images that the engine has ($NAMIBUILD_OFFLINE)")
}

// addSource adds the flags about the recipe's source.
func (f *buildFlags) addSource(c *cobra.Command) {
	f.addOffline(c)
	c.Flags().BoolVar(&f.insecure, "insecure-source", false, "accept an SRPM with a digest other than the recipe's, or without its signature; plan and record say so")
}

// addLocks adds build's flags about locks.
func (f *buildFlags) addLocks(c *cobra.Command) {
	c.Flags().StringVar(&f.lock, "lock", "", "refuse a build that differs from the lock in `FILE` (default RECIPE.lock beside the recipe, if it exists)")
	c.Flags().BoolVar(&f.noLock, "no-lock", false, "ignore the lock beside the recipe")
	c.Flags().BoolVar(&f.release, "release", false, "refuse to build without a lock")
	exclusive(c, "no-lock", "lock", "release")
	exclusive(c, "release", "unpin", "vary", "insecure-source")
}

// reach is what a step needs of the world outside this process.
type reach int

const (
	storeOnly reach = iota
	storeAndEngine
)

// options makes the options of a step from the flags and opens what it needs. The link is
// the step's connection to the engine, which the caller closes.
func (a *app) options(r recipe.Recipe, f buildFlags, need reach, link *connection) (builder.Options, error) {
	o, err := f.options(r)
	if err != nil {
		return o, err
	}
	if o.Store, err = a.openStore(); err != nil {
		return o, err
	}
	processors := runtime.NumCPU()
	if need == storeAndEngine {
		e, err := link.open()
		if err != nil {
			return o, err
		}
		o.Engine, processors = builder.Over(e), e.Info().CPUs
	}
	f.setLimits(&o, processors)
	return o, nil
}

// options makes the options that follow from the flags alone.
func (f *buildFlags) options(r recipe.Recipe) (o builder.Options, err error) {
	o.SourceOptions = builder.SourceOptions{
		Recipe: r, Images: namibuild.Files, NoCache: f.noCache, Offline: f.offline, InsecureSource: f.insecure,
		Version: version().Version, Program: executableDigest(),
	}
	o.Output, o.SRPM, o.Now = f.output, f.srpm, time.Now
	if o.Output == "" {
		o.Output = filepath.Join("out", r.Name)
		if r.Stock {
			o.Output += "-stock"
		}
	}
	if f.jobs < 0 {
		return o, usageError{fmt.Errorf("--jobs %d: must be 1 or more", f.jobs)}
	}
	if o.Args, err = arguments(f.args); err != nil {
		return o, err
	}
	return o, f.setPins(&o)
}

// setLimits sets the limits of the container. The defaults do not depend on the engine's
// memory, so that plan and build agree: a kernel build needs 1 GiB a job, 2 GiB for the
// final link, and the topdir if that is in memory.
func (f *buildFlags) setLimits(o *builder.Options, processors int) {
	o.Jobs, o.Memory, o.Tmpfs = f.jobs, int64(f.memory), int64(f.tmpfs)
	if o.Jobs == 0 {
		o.Jobs = max(1, processors)
	}
	if o.Memory == 0 {
		o.Memory = int64(2+o.Jobs)<<30 + o.Tmpfs
	}
}

// arguments parses the values of --image-arg.
func arguments(list []string) (map[string]string, error) {
	args := map[string]string{}
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usageError{fmt.Errorf("--image-arg %s: must be NAME=VALUE", s)}
		}
		args[name] = value
	}
	return args, nil
}

// recipe loads the recipe of a name or path. With --stock it is that of the vendor's
// kernel.
func (f *buildFlags) recipe(name string) (recipe.Recipe, error) {
	r, err := loadRecipe(name)
	if err == nil && f.stock {
		r = r.AsStock()
	}
	return r, err
}

// loadRecipe loads the recipe of a name or path.
func loadRecipe(name string) (recipe.Recipe, error) {
	r, err := recipe.Load(name, namibuild.Files)
	switch {
	case err == nil:
		return r, nil
	case missing(err):
		if gone := exists(name, "a recipe"); gone != nil {
			return r, gone
		}
	}
	return r, recipeError{err}
}

// completeRecipes completes the names of the recipes that come with namibuild.
func completeRecipes(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	if list, err := recipe.Shipped(namibuild.Files); err == nil {
		for _, r := range list {
			names = append(names, r.Name+"\t"+r.Description)
		}
	}
	return names, cobra.ShellCompDirectiveDefault
}
