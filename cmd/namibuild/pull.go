package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"namibuild/builder/event"
	"namibuild/builder/oci"
	"namibuild/builder/release"
)

func (a *app) pullCommand() *cobra.Command {
	var plainHTTP bool
	var dir, key string
	c := &cobra.Command{
		Use:   "pull REF -o DIR",
		Short: "Get a release back from a container registry",
		Long: `pull downloads the release REF, HOST/REPOSITORY@sha256:… or HOST/REPOSITORY:TAG, into
the new folder DIR. It checks the digest of every file, and a signed release as
"namibuild verify" does. DIR appears only if everything is right. A tag can move to
another release: pull prints its digest.

--key names the publisher's public key file, and a release that another key signed is
refused. Without --key, pull uses the key in the release, which shows damage but not
who made the release.

` + registryHelp,
		Example: `  namibuild pull registry.example.org/kernels/demo@sha256:4e6f… -o demo
  namibuild pull registry.example.org/kernels/demo:6.1.192 -o demo --key kernels.asc`,
		Args: oneArg("a reference"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.pull(c.Context(), args[0], dir, key, plainHTTP || !c.Flags().Changed("plain-http") && oci.Loopback(args[0]))
		},
	}
	c.Flags().StringVarP(&dir, "output", "o", "", "write to the new folder `DIR`")
	c.Flags().StringVar(&key, "key", "", "trust only the publisher's public key in `FILE`")
	plainFlag(c, &plainHTTP)
	return c
}

func (a *app) pull(ctx context.Context, reference, dir, key string, plainHTTP bool) error {
	if dir == "" {
		return usageError{errors.New("no folder for the release: -o is missing")}
	}
	o := release.PullOptions{RegistryOptions: release.RegistryOptions{PlainHTTP: plainHTTP, UserAgent: userAgent()}}
	if key != "" {
		c, err := readCertificate(key)
		if err != nil {
			return err
		}
		o.Certificate = &c
	}
	pulled, err := watch(ctx, a, func(tell event.Sink) (release.Pulled, error) {
		o.Tell = tell
		return release.Pull(ctx, reference, dir, o)
	})
	if pulled.Verification != nil { // also beside an error
		err = errors.Join(err, a.printVerification(*pulled.Verification))
	}
	if err != nil {
		return err
	}
	return a.print("result", pulled.Pulled, func() error {
		_, err := fmt.Printf("%s\n%s: %d files, %s\n", pulled.Reference, pulled.Dir, len(pulled.Files), size(pulled.Size))
		return err
	})
}
