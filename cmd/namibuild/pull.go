package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"namibuild/builder/oci"
	"namibuild/builder/release"
)

func (a *app) pullCommand() *cobra.Command {
	var plainHTTP bool
	var dir, key string
	c := &cobra.Command{
		Use:   "pull REF -o DIR",
		Short: "Get a release back from a container registry",
		Long: `pull brings the release that REF names, HOST/REPOSITORY@sha256:… or HOST/REPOSITORY:TAG,
into the new folder DIR. Every file is checked against the digest, and a signed release
as "namibuild verify" does it; DIR is there when nothing is wrong, and not before. What a
tag names can change: pull says its digest.

--key is the publisher's public key file; then nothing that it did not sign is taken.
Without it the key in the release is taken: that shows damage, and not who made it.

` + registryHelp,
		Example: `  namibuild pull registry.example.org/kernels/demo@sha256:4e6f… -o demo
  namibuild pull registry.example.org/kernels/demo:6.1.192 -o demo --key kernels.asc`,
		Args: oneArg("a reference"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.pull(c.Context(), args[0], dir, key, plainHTTP || !c.Flags().Changed("plain-http") && oci.Loopback(args[0]))
		},
	}
	c.Flags().StringVarP(&dir, "output", "o", "", "the new folder")
	c.Flags().StringVar(&key, "key", "", "public key file to believe")
	plainFlag(c, &plainHTTP)
	return c
}

func (a *app) pull(ctx context.Context, reference, dir, key string, plainHTTP bool) error {
	if dir == "" {
		return usageError{errors.New("no folder for the release: -o is missing")}
	}
	d := newDisplay(os.Stdout, a.json)
	defer d.Close()
	o := release.PullOptions{RegistryOptions: release.RegistryOptions{PlainHTTP: plainHTTP, UserAgent: userAgent(), Tell: a.tell(d)}}
	if key != "" {
		c, err := readCertificate(key)
		if err != nil {
			return err
		}
		o.Certificate = &c
	}
	pulled, err := release.Pull(ctx, reference, dir, o)
	d.Close()
	if pulled.Verification != nil {
		a.showVerification(d, *pulled.Verification)
	}
	if err != nil {
		return a.cause(ctx, err)
	}
	if a.json {
		d.emit(struct {
			Event string `json:"event"`
			oci.Pulled
		}{"result", pulled.Pulled})
		return nil
	}
	_, err = fmt.Printf("%s\n%s: %d files, %s\n", pulled.Reference, pulled.Dir, len(pulled.Files), size(pulled.Size))
	return err
}
