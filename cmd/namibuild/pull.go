package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/oci"
)

func (a *app) pullCommand() *cobra.Command {
	var plainHTTP bool
	var dir string
	c := &cobra.Command{
		Use:   "pull REF -o DIR",
		Short: "Get a release back from a container registry",
		Long: `pull brings the release that REF names, HOST/REPOSITORY@sha256:… or HOST/REPOSITORY:TAG,
into the new folder DIR. Every file is checked against the digest; DIR is there when
everything is right, and not before. What a tag names can change: pull says its digest.

` + registryHelp,
		Example: "  namibuild pull registry.example.org/kernels/demo@sha256:4e6f… -o demo",
		Args:    oneArg("a reference"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.pull(c.Context(), args[0], dir, plainHTTP || !c.Flags().Changed("plain-http") && oci.Loopback(args[0]))
		},
	}
	c.Flags().StringVarP(&dir, "output", "o", "", "the new folder")
	plainFlag(c, &plainHTTP)
	return c
}

func (a *app) pull(ctx context.Context, reference, dir string, plainHTTP bool) error {
	if dir == "" {
		return usageError{errors.New("no folder for the release: -o is missing")}
	}
	d := newDisplay(os.Stdout, a.json)
	pulled, err := builder.Pull(ctx, reference, dir, builder.RegistryOptions{PlainHTTP: plainHTTP, UserAgent: userAgent(), Tell: a.tell(d)})
	d.Close()
	if err != nil {
		return a.cause(ctx, err)
	}
	if a.json {
		d.emit(struct {
			Event string `json:"event"`
			oci.Pulled
		}{"result", pulled})
		return nil
	}
	_, err = fmt.Printf("%s\n%s: %d files, %s\n", pulled.Reference, pulled.Dir, len(pulled.Files), size(pulled.Size))
	return err
}
