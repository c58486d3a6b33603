package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/artifact"
	"namibuild/builder/durable"
	"namibuild/builder/event"
)

func (a *app) prepareCommand() *cobra.Command {
	var srpm bool
	var f buildFlags
	c := &cobra.Command{
		Use:   "prepare RECIPE",
		Short: "Write the patched sources as the tar of an rpmbuild topdir",
		Long: `prepare writes what build would send into the container: the tar of an rpmbuild
topdir with the spec and the sources, edits made. It needs the source in the store
or on the network, and no engine. The file appears when it is complete.

With --srpm it writes the patched source RPM instead, which plain rpmbuild --rebuild
takes anywhere; rpm makes it, in a container. Its tarball is compressed as its name
says (bzip2, xz, gzip), which takes half a minute or more for a whole kernel tree.`,
		Example: "  namibuild prepare demo -o topdir.tar\n  mkdir top && tar -C top -xf topdir.tar && rpmbuild --define \"_topdir $PWD/top\" -bp top/SPECS/kernel.spec",
		Args:    oneArg("a recipe"),
		RunE: func(c *cobra.Command, args []string) error {
			if srpm {
				return a.prepareSRPM(c.Context(), args[0], f)
			}
			return a.prepare(c.Context(), args[0], f)
		},
	}
	c.Flags().StringVarP(&f.output, "output", "o", "", "file to write (default RECIPE.topdir.tar); with --srpm the folder (default .)")
	c.Flags().BoolVar(&srpm, "srpm", false, "write the patched source RPM (needs an engine)")
	f.images(c)
	f.source(c)
	c.ValidArgsFunction = completeRecipes
	return c
}

func (a *app) prepare(ctx context.Context, name string, f buildFlags) error {
	r, err := loadRecipe(name)
	if err != nil {
		return err
	}
	file := f.output
	if file == "" {
		file = r.Name + ".topdir.tar"
	}
	store, err := a.openStore()
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(file), ".topdir-*")
	if err != nil {
		return &durable.Error{Path: filepath.Dir(file), Err: err}
	}
	defer os.Remove(out.Name()) // after the rename it has this name no more
	d := newDisplay(os.Stdout, a.json)
	defer d.Close()
	o := f.sourceOptions(r)
	o.Store, o.Tell = store, a.tell(d)
	_, err = builder.Prepare(ctx, o, out)
	if err = errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
		return a.cause(ctx, err)
	}
	if err := os.Rename(out.Name(), file); err != nil {
		return &durable.Error{Path: filepath.Dir(file), Err: err}
	}
	d.Close()
	if !a.json {
		fmt.Println(file)
	}
	return nil
}

func (a *app) prepareSRPM(ctx context.Context, name string, f buildFlags) error {
	r, err := loadRecipe(name)
	if err != nil {
		return err
	}
	f.output = cmp.Or(f.output, ".")
	o, done, err := a.options(ctx, r, f)
	if err != nil {
		return err
	}
	defer done()
	srpm, err := watch(ctx, a, func(tell event.Sink) (artifact.RPM, error) {
		o.Tell = tell
		return builder.SourceRPM(ctx, o)
	})
	if err != nil {
		return err
	}
	if a.json {
		a.emit(struct {
			Event string `json:"event"`
			artifact.RPM
		}{"result", srpm})
		return nil
	}
	_, err = fmt.Printf("%s\nsha256 %s\n", filepath.Join(f.output, srpm.File), srpm.SHA256)
	return err
}
