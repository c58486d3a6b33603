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
	var f pullFlags
	c := &cobra.Command{
		Use:   "pull REF -o DIR",
		Short: "Get a release back from a container registry",
		Long: `pull downloads the release REF, HOST/REPOSITORY@sha256:… or HOST/REPOSITORY:TAG, into
the new folder DIR. It checks the digest of every file, and the release as "namibuild
verify" does: it must be complete and signed. DIR appears only if everything is right. A
tag can move to another release: pull prints its digest.

--key names the publisher's public key file, and a release that another key signed is
refused. Without that file one of two words is needed. --any-key trusts the key in the
release, which shows damage but not who made the release. --unverified checks only the
digests, and also takes a set that is not a release. pull prints what it relied on.

` + registryHelp,
		Example: `  namibuild pull registry.example.org/kernels/demo:6.1.192 -o demo --key kernels.asc
  namibuild pull registry.example.org/kernels/demo@sha256:4e6f… -o demo --any-key`,
		Args: oneArg("a reference"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.pull(c.Context(), args[0], f, plainHTTP || !c.Flags().Changed("plain-http") && oci.Loopback(args[0]))
		},
	}
	c.Flags().StringVarP(&f.dir, "output", "o", "", "write to the new folder `DIR`")
	c.Flags().StringVar(&f.key, "key", "", "trust only the publisher's public key in `FILE`")
	c.Flags().BoolVar(&f.anyKey, "any-key", false, "trust the key that is in the release, whoever made it")
	c.Flags().BoolVar(&f.unverified, "unverified", false, "check only digests: no signature, no completeness")
	plainFlag(c, &plainHTTP)
	return c
}

// pullFlags are the flags of pull.
type pullFlags struct {
	dir, key           string
	anyKey, unverified bool
}

// check reports flags that are missing or contradict each other.
func (f pullFlags) check() error {
	words := 0
	for _, given := range []bool{f.key != "", f.anyKey, f.unverified} {
		if given {
			words++
		}
	}
	switch {
	case f.dir == "":
		return usageError{errors.New("no folder for the release: -o is missing")}
	case words == 0:
		return usageError{errors.New("no key to verify the release with: --key, --any-key or --unverified is missing")}
	case words > 1:
		return usageError{errors.New("only one of --key, --any-key and --unverified can be given")}
	}
	return nil
}

func (a *app) pull(ctx context.Context, reference string, f pullFlags, plainHTTP bool) error {
	if err := f.check(); err != nil {
		return err
	}
	o := release.PullOptions{RegistryOptions: release.RegistryOptions{PlainHTTP: plainHTTP, UserAgent: userAgent()}, AnyKey: f.anyKey, Unverified: f.unverified}
	if f.key != "" {
		c, err := readCertificate(f.key)
		if err != nil {
			return err
		}
		o.Certificate = &c
	}
	pulled, err := watch(ctx, a, func(tell event.Sink) (release.Pulled, error) {
		o.Tell = tell
		return release.Pull(ctx, reference, f.dir, o)
	})
	if pulled.Verification != nil { // also beside an error
		err = errors.Join(err, a.printVerification(*pulled.Verification))
	}
	if err != nil {
		return err
	}
	return a.print("result", pulled, func() error {
		_, err := fmt.Printf("%s\n%s: %d files, %s, %s\n", pulled.Reference, pulled.Dir, len(pulled.Files), size(pulled.Size), trusted(pulled))
		return err
	})
}

// trusted says what pull relied on.
func trusted(p release.Pulled) string {
	switch p.Trust {
	case release.TrustKey:
		return "signed by " + p.Key
	case release.TrustAnyKey:
		return "signed by " + p.Key + ", the key in the release"
	}
	return "not verified: only the digests were checked"
}
