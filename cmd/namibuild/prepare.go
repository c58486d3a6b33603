package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/artifact"
	"namibuild/builder/durable"
	"namibuild/builder/event"
	"namibuild/builder/source"
)

func (a *app) prepareCommand() *cobra.Command {
	var srpm bool
	var f buildFlags
	c := &cobra.Command{
		Use:   "prepare RECIPE",
		Short: "Write the patched sources as the tar of an rpmbuild topdir",
		Long: `prepare writes what build would send into the container: the tar of an rpmbuild
topdir with the spec and the edited sources. It needs the source in the store or on
the network, and no engine. The file appears when it is complete.

With --srpm it writes the patched source RPM instead, which rpmbuild --rebuild accepts
anywhere. rpm makes it, in a container. Its tarball is compressed as the name says
(bzip2, xz, gzip), which takes half a minute or more for a whole kernel tree.`,
		Example: `  namibuild prepare demo -o topdir.tar
  mkdir top && tar -C top -xf topdir.tar
  rpmbuild --define "_topdir $PWD/top" -bp top/SPECS/kernel.spec`,
		Args: oneArg("a recipe"),
		RunE: func(c *cobra.Command, args []string) error {
			if srpm {
				return a.prepareSRPM(c.Context(), args[0], f)
			}
			return a.prepare(c.Context(), args[0], f)
		},
	}
	c.Flags().StringVarP(&f.output, "output", "o", "", "write to `FILE` (default RECIPE.topdir.tar), or with --srpm into this folder (default .)")
	c.Flags().BoolVar(&srpm, "srpm", false, "write the patched source RPM (needs an engine)")
	f.addImages(c)
	f.addSource(c)
	c.ValidArgsFunction = completeRecipes
	return c
}

func (a *app) prepare(ctx context.Context, name string, f buildFlags) error {
	r, err := loadRecipe(name)
	if err != nil {
		return err
	}
	o, err := a.options(r, f, storeOnly, nil)
	if err != nil {
		return err
	}
	file := cmp.Or(f.output, r.Name+".topdir.tar")
	_, err = watch(ctx, a, func(tell event.Sink) (source.Preview, error) {
		o.Tell = tell
		return writeTopdir(ctx, o.SourceOptions, file)
	})
	if err == nil && !a.json {
		_, err = fmt.Println(file)
	}
	return err
}

// writeTopdir writes the patched topdir into a file, which appears when it is complete.
func writeTopdir(ctx context.Context, o builder.SourceOptions, file string) (source.Preview, error) {
	out, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.part")
	if err != nil {
		return source.Preview{}, &durable.Error{Path: file, Err: err}
	}
	defer os.Remove(out.Name()) // does nothing after the rename
	p, err := builder.Prepare(ctx, o, out)
	if at := (*fs.PathError)(nil); errors.As(err, &at) && at.Path == out.Name() {
		err = &durable.Error{Path: file, Err: err}
	}
	if err = errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
		return p, err
	}
	if err := os.Rename(out.Name(), file); err != nil {
		return p, &durable.Error{Path: file, Err: err}
	}
	return p, nil
}

func (a *app) prepareSRPM(ctx context.Context, name string, f buildFlags) error {
	r, err := loadRecipe(name)
	if err != nil {
		return err
	}
	f.output = cmp.Or(f.output, ".")
	link := a.connect(ctx)
	defer link.close()
	o, err := a.options(r, f, storeAndEngine, link)
	if err != nil {
		return err
	}
	_, err = perform(ctx, a, func(tell event.Sink) (artifact.RPM, error) {
		o.Tell = tell
		return builder.SourceRPM(ctx, o)
	}, func(p artifact.RPM) error {
		_, err := fmt.Printf("%s\nsha256 %s\n", filepath.Join(f.output, p.File), p.SHA256)
		return err
	})
	return err
}
