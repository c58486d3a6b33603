package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"namibuild"
	"namibuild/builder"
	"namibuild/builder/artifact"
	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

// buildFlags are the settings that verbs with a container share.
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

func (a *app) buildCommand() *cobra.Command {
	var f buildFlags
	c := &cobra.Command{
		Use:   "build RECIPE",
		Short: "Build the packages of a recipe in a container",
		Long: `build makes the packages of a recipe: a name that "namibuild recipes" lists, or
the path of a YAML file. It checks the source, makes the edits, builds the builder
image if the engine does not hold it, and runs rpmbuild in a container. If the
kernel's /dev/random can block (before Linux 5.6), rngd supplies entropy from a
container of its own; with NAMIBUILD_ENTROPY=rngd it does so on every kernel.

The output directory gets RPMS/ (checked packages), build.log and build.json, and
gets them only when everything succeeded. After a failure it holds failed.log (and
failed.RPMS/, when packages came out but not all that the recipe wants), and whatever
an earlier build left there is untouched.`,
		Example: `  namibuild build demo
  namibuild build ./my-kernel.yaml -o ./rpms --jobs 8`,
		Args: oneArg("a recipe"),
		RunE: func(c *cobra.Command, args []string) error { return a.build(c.Context(), args[0], f) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "", "output directory (default out/RECIPE)")
	f.changes(c)
	c.Flags().BoolVar(&f.srpm, "srpm", false, "make the patched source RPM too, in SRPMS/")
	f.limits(c)
	f.images(c)
	f.source(c)
	f.unpin(c)
	f.vary(c)
	f.locks(c)
	c.ValidArgsFunction = completeRecipes
	return c
}

// changes adds the flag of whether the recipe's changes are made.
func (f *buildFlags) changes(c *cobra.Command) {
	c.Flags().BoolVar(&f.stock, "stock", false, "leave out what the recipe changes: the vendor's own kernel, to compare with (into out/RECIPE-stock)")
}

// limits adds the flags of a container's limits, which are in the plan.
func (f *buildFlags) limits(c *cobra.Command) {
	c.Flags().IntVarP(&f.jobs, "jobs", "j", 0, "make's -j (default the engine's processors; plan: this host's)")
	c.Flags().Var(&f.memory, "memory", "memory limit of the container, as 6G (default 2G and 1G a job)")
	c.Flags().Var(&f.tmpfs, "tmpfs", "build in memory, in a tmpfs of this size, as 20G")
}

func (f *buildFlags) images(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.args, "image-arg", nil, "build argument of the builder image, NAME=VALUE: DEBIAN_MIRROR, DEBIAN_SECURITY_MIRROR, VAULT")
	f.cache(c)
}

func (f *buildFlags) cache(c *cobra.Command) {
	c.Flags().BoolVar(&f.noCache, "no-cache", envOr("NAMIBUILD_NO_CACHE", "") != "", "use neither the engine's build cache for an image nor what an earlier run made or found of a source ($NAMIBUILD_NO_CACHE)")
}

// source adds the flags of how the source comes in.
func (f *buildFlags) source(c *cobra.Command) {
	c.Flags().BoolVar(&f.offline, "offline", envOr("NAMIBUILD_OFFLINE", "") != "", "fetch nothing: take the source from the store and the builder image from the engine ($NAMIBUILD_OFFLINE)")
	c.Flags().BoolVar(&f.insecure, "insecure-source", false, "take an SRPM with another digest than the recipe's, or without its signature; plan and record say so")
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
	o, closeAll, err := a.options(ctx, r, f)
	if err != nil {
		return err
	}
	defer closeAll()
	o.Lock, o.Release = lock, f.release
	res, err := watch(ctx, a, func(tell event.Sink) (set.Record, error) {
		o.Tell, o.Host = tell, hostName()
		return builder.Build(ctx, o)
	})
	if err != nil {
		return err
	}
	if a.json {
		a.emit(struct {
			Event string `json:"event"`
			set.Record
			Dir string `json:"dir"`
		}{"result", res, res.Dir})
		return nil
	}
	return printResult(os.Stdout, res, time.Since(started))
}

// recipe is the recipe of a name or path, or the vendor's own kernel by it.
func (f *buildFlags) recipe(name string) (recipe.Recipe, error) {
	r, err := loadRecipe(name)
	if err == nil && f.stock {
		r = r.AsStock()
	}
	return r, err
}

// loadRecipe finds a recipe by name or path; what is wrong with it is the
// user's to mend.
func loadRecipe(name string) (recipe.Recipe, error) {
	r, err := recipe.Load(name, namibuild.Files)
	if err == nil {
		return r, nil
	}
	if gone := there(name, "a recipe"); absent(err) && gone != nil {
		return r, gone
	}
	return r, recipeError{err}
}

// sourceOptions are what the flags say of the source of a recipe.
func (f *buildFlags) sourceOptions(r recipe.Recipe) builder.SourceOptions {
	return builder.SourceOptions{Recipe: r, Images: namibuild.Files, NoCache: f.noCache, Offline: f.offline, InsecureSource: f.insecure,
		Version: version().Version, Program: executableDigest()}
}

// options opens the store and the engine; the caller calls the function when
// the build is over.
func (a *app) options(ctx context.Context, r recipe.Recipe, f buildFlags) (builder.Options, func(), error) {
	o := builder.Options{PlanOptions: builder.PlanOptions{SourceOptions: f.sourceOptions(r)}, Output: f.output, SRPM: f.srpm, Now: time.Now}
	var err error
	if o.Args, err = arguments(f.args); err != nil {
		return o, nil, err
	}
	if err := f.setPins(&o); err != nil {
		return o, nil, err
	}
	if o.Output == "" {
		o.Output = filepath.Join("out", r.Name)
		if r.Stock {
			o.Output += "-stock"
		}
	}
	if o.Store, err = a.openStore(); err != nil {
		return o, nil, err
	}
	e, err := engine.Connect(ctx, engine.Options{Prefix: a.prefix, Entropy: envOr("NAMIBUILD_ENTROPY", "")})
	if err != nil {
		return o, nil, err
	}
	info := e.Info()
	a.log.WithFields(logrus.Fields{"version": info.Version, "api": info.APIVersion, "cpus": info.CPUs}).Info("engine answers")
	if err := f.setLimits(&o, info.CPUs); err != nil {
		e.Close()
		return o, nil, err
	}
	o.Engine = builder.Over(e)
	return o, func() { e.Close() }, nil
}

// setLimits takes the limits from the flags, with defaults that do not depend
// on the engine's memory, so that plan and build agree: what a kernel build
// wants is 1 GiB a job, 2 GiB for the final link, and the topdir if in memory.
func (f *buildFlags) setLimits(o *builder.Options, cpus int) error {
	if f.jobs < 0 {
		return usageError{fmt.Errorf("--jobs %d: 1 or more was expected", f.jobs)}
	}
	o.Jobs, o.Memory, o.Tmpfs = f.jobs, int64(f.memory), int64(f.tmpfs)
	if o.Jobs == 0 {
		o.Jobs = max(1, cpus)
	}
	if o.Memory == 0 {
		o.Memory = int64(2+o.Jobs)<<30 + o.Tmpfs
	}
	return nil
}

func arguments(list []string) (map[string]string, error) {
	args := map[string]string{}
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usageError{fmt.Errorf("--image-arg %s: NAME=VALUE was expected", s)}
		}
		args[name] = value
	}
	return args, nil
}

func printResult(w *os.File, res set.Record, took time.Duration) error {
	fmt.Fprintf(w, "\n%s, made in %s by plan %.12s\n", res.Dir, short(took), res.PlanID)
	if err := printPackages(w, res.Set); err != nil {
		return err
	}
	if p := res.SRPM; p != nil {
		fmt.Fprintf(w, "  %-58s %9s  sha256 %.12s…\n", filepath.Join("..", set.SRPMS, p.File), size(p.Size), p.SHA256)
	}
	switch key := res.Plan.ModuleKey; {
	case !key.Reproducible():
		fmt.Fprintln(w, "not reproducible: ephemeral module key (namibuild help modkey)")
	case key.Mode == string(recipe.KeyPersistent):
		fmt.Fprintf(w, "module signatures: %d by %.16s…; the private half is in no package and not in the log\n", res.Signatures, key.Fingerprint)
	}
	_, err := fmt.Fprintf(w, "install: yum install %s (keeps the running kernel; rpm -U would remove it)\n", filepath.Join(res.Dir, "*.rpm"))
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
