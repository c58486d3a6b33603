package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"namibuild/builder/event"
	"namibuild/builder/release"
)

// releaseFlags are the flags of release, and of the build and the boot before it.
type releaseFlags struct {
	signFlags
	build    buildFlags
	boot     bootFlags
	output   string
	url      string
	builder  string
	unproven bool
	unlocked bool
}

func (a *app) releaseCommand() *cobra.Command {
	var f releaseFlags
	c := &cobra.Command{
		Use:   "release SET|RECIPE",
		Short: "Make a signed release of a set: the folder that you publish",
		Long: `release makes one folder of SET, the output directory of a build: signed packages, a
yum repository of them, the public key, the records of build and proof, a page for
people, and signed digests of all files. Copy it to a web server, or "namibuild push"
it. An earlier release in that folder is replaced.

The set must be proven ("namibuild boot") and built from a lock ("namibuild lock").
--unproven and --unlocked waive that, and the release says so. With a RECIPE, release
builds it first (into out/RECIPE) and boots it.

The same set, key and options make the same release, byte for byte.

` + keyHelp,
		Example: `  namibuild release out/demo --key kernels.key --url https://example.org/kernels
  namibuild release ./my-kernel.yaml --key agent --certificate kernels.asc`,
		Args: oneArg("a set or a recipe"),
		RunE: func(c *cobra.Command, args []string) error { return a.release(c.Context(), args[0], f) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "", "write the release to `DIR` (default SET-release)")
	c.Flags().StringVar(&f.url, "url", "", "send hosts to `URL` for the release (default file:///srv/NAME, a folder of their own)")
	c.Flags().BoolVar(&f.unproven, "unproven", false, "publish a set whose kernel was not booted, or failed its proof")
	c.Flags().BoolVar(&f.unlocked, "unlocked", false, "publish a set that was not built from a lock")
	addBuilderID(c, &f.builder)
	f.signFlags.add(c)
	f.build.addLimits(c)
	f.build.addImages(c)
	f.build.addSource(c)
	f.boot.addMachine(c)
	c.Flags().StringVar(&f.build.lock, "lock", "", "use the lock in `FILE` for a RECIPE (default RECIPE.lock beside it)")
	c.ValidArgsFunction = completeRecipes
	return c
}

// released is what release prints as JSON.
type released struct {
	release.Record
	Dir string `json:"dir"`
}

func (a *app) release(ctx context.Context, name string, f releaseFlags) error {
	started := time.Now()
	k, closeKey, err := f.open(ctx)
	if err != nil {
		return a.cause(ctx, err)
	}
	defer closeKey()
	path, err := release.FindBuilt(name)
	if errors.Is(err, os.ErrNotExist) {
		path, err = a.buildAndBoot(ctx, name, f)
	}
	if err != nil {
		return err
	}
	if f.output == "" {
		f.output = path + "-release"
	}
	_, err = perform(ctx, a, func(tell event.Sink) (released, error) {
		r, err := release.Make(ctx, release.Options{
			Set: path, Output: f.output, Key: k, HeaderOnly: f.headerOnly, PayloadDigests: f.digests,
			Unproven: f.unproven, Unlocked: f.unlocked, URL: f.url, BuilderID: f.builder, Tell: tell,
		})
		return released{r, r.Dir}, err
	}, func(r released) error { return printRelease(r.Record, time.Since(started)) })
	return err
}

// buildAndBoot builds a recipe and boots its kernel. It returns the output directory.
func (a *app) buildAndBoot(ctx context.Context, name string, f releaseFlags) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		if err := exists(name, "a set (an output directory of build) or a recipe"); err != nil {
			return "", err
		}
	}
	r, err := loadRecipe(name)
	if err != nil {
		return "", err
	}
	f.build.output, f.build.release = filepath.Join("out", r.Name), !f.unlocked
	if err := a.build(ctx, name, f.build); err != nil || f.unproven {
		return f.build.output, err
	}
	f.boot.build = f.build
	return f.build.output, a.boot(ctx, f.build.output, f.boot)
}

func printRelease(r release.Record, took time.Duration) error {
	fmt.Printf("\n%s, made in %s by plan %.12s, signed by %s\n", r.Dir, short(took), r.PlanID, r.Key)
	if err := printPackages(os.Stdout, r.Set); err != nil {
		return err
	}
	_, err := fmt.Printf("look at it: %s\ncheck it:   namibuild verify %s\n", filepath.Join(r.Dir, "index.html"), r.Dir)
	return err
}
