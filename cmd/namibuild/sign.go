package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"namibuild/builder/artifact"
	"namibuild/builder/event"
	"namibuild/builder/release"
)

// signFlags are the flags that release and sign share.
type signFlags struct {
	keyFlags
	headerOnly bool
	digests    bool
}

func (f *signFlags) add(c *cobra.Command) {
	f.keyFlags.add(c)
	c.Flags().BoolVar(&f.headerOnly, "header-only", false, "sign only headers, which the rpm of EL6 does not accept")
	c.Flags().BoolVar(&f.digests, "payload-digests", false, "add to EL6's packages the digests that rpm 6 requires (this changes their headers)")
}

func (a *app) signCommand() *cobra.Command {
	var f signFlags
	var output string
	c := &cobra.Command{
		Use:   "sign SET -o DIR",
		Short: "Sign the packages of a set into a new folder",
		Long: `sign makes signed copies of the packages of SET, the output directory of a build or a
folder of packages, in the new folder DIR. SET stays as it is. Every rpm since CentOS 6
can check the signatures. They bear the clock of the build, or, for a folder of packages
without a record, the newest build time among them. So signing twice makes equal packages.

` + keyHelp,
		Example: `  namibuild sign out/demo -o signed --key kernels.key
  namibuild sign out/demo -o signed --key agent --certificate kernels.asc`,
		Args: onePath("a set (an output directory of build, or a folder of packages)"),
		RunE: func(c *cobra.Command, args []string) error { return a.sign(c.Context(), args[0], output, f) },
	}
	c.Flags().StringVarP(&output, "output", "o", "", "write to the new folder `DIR`")
	f.add(c)
	return c
}

// signed is what sign prints as JSON.
type signed struct {
	artifact.Set
	Key string `json:"key"`
	Dir string `json:"dir"`
}

func (a *app) sign(ctx context.Context, set, output string, f signFlags) error {
	if output == "" {
		return usageError{errors.New("no folder for the signed packages: -o is missing")}
	}
	k, closeKey, err := f.open(ctx)
	if err != nil {
		return a.cause(ctx, err)
	}
	defer closeKey()
	_, err = perform(ctx, a, func(tell event.Sink) (signed, error) {
		s, err := release.Sign(ctx, release.SignOptions{
			Set: set, Output: output, Key: k, HeaderOnly: f.headerOnly, PayloadDigests: f.digests, Tell: tell,
		})
		return signed{s, k.Fingerprint, s.Dir}, err
	}, func(s signed) error {
		fmt.Printf("\n%s\n", s.Dir)
		return printPackages(os.Stdout, s.Set)
	})
	return err
}
