package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"namibuild/builder/event"
	"namibuild/builder/release"
	"namibuild/builder/set"

	"github.com/spf13/cobra"
)

// releaseFlags are the settings of a release, and of the build and the boot
// before it.
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
		Short: "Make a signed bundle of a set that was proven: what you publish",
		Long: `release makes one directory of SET, the output directory of a build: signed packages,
a yum repository of them, the public key, the records of build and proof, a page for
people, and signed digests of it all. Copy it to a web server, or "namibuild push" it.

A set has to be proven ("namibuild boot") and built from a lock ("namibuild lock");
--unproven and --unlocked let it pass all the same, and the bundle says so. With a
RECIPE all of that is done first: build (into out/RECIPE), boot, release.

The same set, key and options make the same bundle, byte for byte.

` + keyHelp,
		Example: `  namibuild release out/demo --key kernels.key --url https://example.org/kernels
  namibuild release ./my-kernel.yaml --key agent --certificate kernels.asc`,
		Args: oneArg("a set or a recipe"),
		RunE: func(c *cobra.Command, args []string) error { return a.release(c.Context(), args[0], f) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "", "directory of the bundle (default SET-release); a bundle that is there is replaced")
	c.Flags().StringVar(&f.url, "url", "", "where hosts will find the bundle (default file:///srv/NAME, a folder of their own)")
	c.Flags().BoolVar(&f.unproven, "unproven", false, "publish a set whose kernel was not booted, or failed its proof")
	c.Flags().BoolVar(&f.unlocked, "unlocked", false, "publish a set that was not built from a lock")
	c.Flags().StringVar(&f.builder, "builder-id", "", "URI of who vouches for the machine that built (default: nobody but the key's holder)")
	f.signFlags.add(c)
	f.build.limits(c)
	f.build.images(c)
	f.build.source(c)
	f.boot.machine(c)
	c.Flags().StringVar(&f.build.lock, "lock", "", "the lock of a RECIPE (default RECIPE.lock beside it)")
	c.ValidArgsFunction = completeRecipes
	return c
}

func (a *app) release(ctx context.Context, name string, f releaseFlags) error {
	started := time.Now()
	k, closeKey, err := f.open(ctx)
	if err != nil {
		return a.cause(ctx, err)
	}
	defer closeKey()
	path := set.DirOf(name)
	if !isSet(path) {
		if path, err = a.makeSet(ctx, name, f); err != nil {
			return err
		}
	}
	if f.output == "" {
		f.output = path + "-release"
	}
	b, err := watch(ctx, a, func(tell event.Sink) (release.Record, error) {
		return release.Make(ctx, release.Options{
			Set: path, Output: f.output, Key: k, HeaderOnly: f.headerOnly, PayloadDigests: f.digests,
			Unproven: f.unproven, Unlocked: f.unlocked, URL: f.url, BuilderID: f.builder, Tell: tell,
		})
	})
	if err != nil {
		return err
	}
	if a.json {
		a.emit(struct {
			Event string `json:"event"`
			release.Record
			Dir string `json:"dir"`
		}{"result", b, b.Dir})
		return nil
	}
	return printBundle(b, time.Since(started))
}

// isSet: a build has left its record there.
func isSet(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, set.RecordFile))
	return err == nil
}

// makeSet builds a recipe and boots what came out.
func (a *app) makeSet(ctx context.Context, name string, f releaseFlags) (string, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return "", usageError{fmt.Errorf("%s is no output directory of a build: it has no %s", name, set.RecordFile)}
	}
	if strings.ContainsRune(name, filepath.Separator) {
		if err := there(name, "a set (an output directory of build) or a recipe"); err != nil {
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
	f.boot.images, f.boot.offline = f.build, f.build.offline
	return f.build.output, a.boot(ctx, f.build.output, f.boot)
}

func printBundle(b release.Record, took time.Duration) error {
	fmt.Printf("\n%s, made in %s by plan %.12s, signed by %s\n", b.Dir, short(took), b.PlanID, b.Key)
	if err := printPackages(os.Stdout, b.Set); err != nil {
		return err
	}
	_, err := fmt.Printf("look at it: %s\ncheck it:   namibuild verify %s\n", filepath.Join(b.Dir, "index.html"), b.Dir)
	return err
}
