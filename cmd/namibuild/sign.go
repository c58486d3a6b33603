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

// signFlags are what release and sign share.
type signFlags struct {
	keyFlags
	headerOnly bool
	digests    bool
}

func (f *signFlags) add(c *cobra.Command) {
	f.keyFlags.add(c)
	c.Flags().BoolVar(&f.headerOnly, "header-only", false, "sign headers alone, which rpm of EL6 does not take")
	c.Flags().BoolVar(&f.digests, "payload-digests", false, "add the digests that rpm 6 asks for to EL6's packages (this changes their headers)")
}

func (a *app) signCommand() *cobra.Command {
	var f signFlags
	var output string
	c := &cobra.Command{
		Use:   "sign SET -o DIR",
		Short: "Sign the packages of a set into a new folder",
		Long: `sign makes signed copies of the packages of SET, the output directory of a build or a
folder of packages, in the new folder DIR. The set stays as it is. rpm from EL5 on
checks the signatures; they bear the time of the set's plan, so that signing twice
makes equal packages.

` + keyHelp,
		Example: `  namibuild sign out/demo -o signed --key kernels.key
  namibuild sign out/demo -o signed --key agent --certificate kernels.asc`,
		Args: onePath("a set (an output directory of build, or a folder of packages)"),
		RunE: func(c *cobra.Command, args []string) error { return a.sign(c.Context(), args[0], output, f) },
	}
	c.Flags().StringVarP(&output, "output", "o", "", "the new folder")
	f.add(c)
	return c
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
	signed, err := watch(ctx, a, func(tell event.Sink) (artifact.Set, error) {
		return release.Sign(ctx, release.SignOptions{
			Set: set, Output: output, Key: k, HeaderOnly: f.headerOnly, PayloadDigests: f.digests, Tell: tell,
		})
	})
	if err != nil {
		return err
	}
	if a.json {
		a.emit(struct {
			Event string `json:"event"`
			artifact.Set
			Key string `json:"key"`
			Dir string `json:"dir"`
		}{"result", signed, k.Fingerprint, signed.Dir})
		return nil
	}
	fmt.Printf("\n%s\n", signed.Dir)
	return printPackages(os.Stdout, signed)
}
