package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"namibuild"
	"namibuild/builder"
	"namibuild/builder/engine"
	"namibuild/builder/image"
	"namibuild/builder/recipe"
)

func (a *app) imageCommand() *cobra.Command {
	var f buildFlags
	var base string
	c := &cobra.Command{
		Use:   "image RECIPE",
		Short: "Build the builder image of a recipe, if the engine does not hold it",
		Long: `image builds the builder image of a recipe, if the engine does not hold it yet.

With --base the tar of a root file system is imported first and used instead of
the base image that the Dockerfile names: for engines that reach no registry.`,
		Example: "  namibuild image demo\n  mmdebstrap --variant=apt bookworm root.tar && namibuild image demo --base root.tar",
		Args:    oneArg("a recipe"),
		RunE:    func(c *cobra.Command, args []string) error { return a.image(c.Context(), args[0], base, f) },
	}
	f.images(c)
	c.Flags().StringVar(&base, "base", "", "tar of a root file system to use as the base image")
	c.ValidArgsFunction = completeRecipes
	return c
}

func (a *app) image(ctx context.Context, name, base string, f buildFlags) error {
	r, err := loadRecipe(name)
	if err != nil {
		return err
	}
	if base != "" {
		if err := there(base, "the tar of a root file system"); err != nil {
			return err
		}
	}
	o, done, err := a.options(ctx, r, f)
	if err != nil {
		return err
	}
	defer done()
	d := newDisplay(os.Stdout, a.json)
	defer d.Close()
	o.Tell = a.tell(d)
	if base != "" {
		if err := image.ImportBase(ctx, o.Engine, r.Image, base, o.Tell); err != nil {
			return a.cause(ctx, err)
		}
	}
	_, err = builder.Image(ctx, o.SourceOptions)
	return a.cause(ctx, err)
}

func (a *app) recipesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "recipes",
		Short: "List the recipes that come with namibuild",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			list, err := recipe.Shipped(namibuild.Files)
			if err != nil {
				return err
			}
			if a.json {
				d := newDisplay(os.Stdout, true)
				for _, r := range list {
					d.emit(map[string]string{"event": "recipe", "name": r.Name, "image": r.Image, "description": r.Description})
				}
				return nil
			}
			w := tabwriter.NewWriter(os.Stdout, 0, 8, 3, ' ', 0)
			for _, r := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, r.Image, r.Description)
			}
			return w.Flush()
		},
	}
}

func (a *app) cleanCommand() *cobra.Command {
	var images, store bool
	c := &cobra.Command{
		Use:   "clean",
		Short: "Remove what killed runs left behind; on request, images and the store",
		Long: `clean removes the containers and volumes that killed runs left on the engine. What
they left beside an output directory goes with the next build or release there.
Containers of runs that are alive stay.`,
		Example: "  namibuild clean\n  namibuild clean --images --inputs",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.clean(c.Context(), images, store)
		},
	}
	c.Flags().BoolVar(&images, "images", false, "remove the builder images of the image prefix too")
	c.Flags().BoolVar(&store, "inputs", false, "remove the store of checked inputs too")
	return c
}

func (a *app) clean(ctx context.Context, images, store bool) error {
	e, err := engine.Connect(ctx, engine.Options{Prefix: a.prefix})
	if err != nil {
		return err
	}
	defer e.Close()
	n, err := e.Sweep(ctx)
	if err != nil {
		return a.cause(ctx, err)
	}
	a.removed(n, "containers and volumes")
	if images {
		if n, err = e.RemoveImages(ctx); err != nil {
			return a.cause(ctx, err)
		}
		a.removed(n, "images")
	}
	if !store {
		return nil
	}
	s, err := a.openStore()
	if err != nil {
		return err
	}
	if err := s.Clear(); err != nil {
		return err
	}
	a.removed(1, "store: "+s.Dir())
	return nil
}

func (a *app) removed(n int, what string) {
	if a.json {
		a.emit(map[string]any{"event": "removed", "count": n, "what": what})
		return
	}
	fmt.Printf("removed %d %s\n", n, what)
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := version()
			if a.json {
				a.emit(v)
				return nil
			}
			_, err := fmt.Printf("namibuild %s (%s, %s)\n", v.Version, v.Commit, v.Go)
			return err
		},
	}
}

// build identity of the binary, as the Go tool recorded it.
type versionInfo struct {
	Event   string `json:"event"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

func version() versionInfo {
	v := versionInfo{"version", "devel", "commit not recorded", runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	modified := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	v.Commit += modified
	return v
}

// executableDigest returns the SHA-256 of this program, or "" if it cannot be
// read. The version does not do: that of edited sources is the last commit's.
func executableDigest() string {
	f, err := os.Open("/proc/self/exe") // also right when the file was replaced since the start
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}
