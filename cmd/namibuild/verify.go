package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"namibuild/builder/event"
	"namibuild/builder/release"
)

func (a *app) verifyCommand() *cobra.Command {
	var key string
	var packagesOnly bool
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check that a release is complete, and everything it says about itself",
		Long: `verify checks a release: that every file of a release exists and no other, every digest
and signature, that the packages without their signatures are what the build made and
the proof is about, the lock, the repository's lists, the .repo file and the public key,
the SBOMs, the provenance, and the digests of all files. It follows no link in DIR. It
needs no engine and no network. What a release says against itself, such as a missing
proof, is shown as a caveat and is not wrong. The exit code is 0 if nothing is wrong,
and 41 otherwise.

--packages-only also takes a set or a folder of packages, which is not a release: it
checks the packages and the records beside them, but cannot tell whether something is
missing. The first line of the output says what was verified. A release is verified as
one in any case, also by the path of its folder RPMS.

--key names the publisher's public key file. Without it, verify uses the key in the
release, which shows damage but not who made the release.`,
		Example: `  namibuild verify ./demo-6.1.192 --key kernels.asc
  namibuild verify ./signed --key kernels.asc --packages-only`,
		Args: onePath("a folder (a release, a set, or packages)"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.verify(c.Context(), args[0], key, packagesOnly)
		},
	}
	c.Flags().StringVar(&key, "key", "", "trust only the publisher's public key in `FILE`")
	c.Flags().BoolVar(&packagesOnly, "packages-only", false, "also take a folder that is not a release, and verify only what is in it")
	return c
}

func (a *app) verify(ctx context.Context, dir, key string, packagesOnly bool) error {
	o := release.VerifyOptions{Dir: dir, PackagesOnly: packagesOnly}
	if key != "" {
		c, err := readCertificate(key)
		if err != nil {
			return err
		}
		o.Certificate = &c
	}
	v, err := watch(ctx, a, func(tell event.Sink) (release.Verification, error) {
		o.Tell = tell
		return release.Verify(ctx, o)
	})
	if err == nil {
		err = a.printVerification(v)
	}
	if err != nil {
		return err
	}
	return v.Err(dir)
}

// printVerification prints what verify found; pull does it too.
func (a *app) printVerification(v release.Verification) error {
	return a.print("verification", struct {
		Passed bool `json:"passed"`
		release.Verification
	}{v.Wrong() == 0, v}, func() error { return printFindings(v) })
}

func printFindings(v release.Verification) error {
	if _, err := fmt.Println(v.Scope()); err != nil {
		return err
	}
	for _, f := range v.Findings {
		mark := "ok    "
		switch {
		case !f.Passed:
			mark = "WRONG "
		case f.Caveat:
			mark = "CAVEAT"
		}
		if _, err := fmt.Printf("%s %-14s %s\n", mark, f.Name, f.Text); err != nil {
			return err
		}
	}
	if !v.OwnKey {
		return nil
	}
	_, err := fmt.Printf("the key came with the release: compare %s with what its publisher says, or use --key\n", v.Key)
	return err
}
