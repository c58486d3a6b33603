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
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check everything that a release says about itself",
		Long: `verify checks a release, the output directory of a build, or a folder of packages:
every digest and signature, that the packages without their signatures are what the
build made and the proof is about, the lock, the repository's lists, the SBOMs, the
provenance, and the digests of all files. It needs no engine and no network. What a
release says against itself, such as a missing proof, is shown as a caveat and is not
wrong. The exit code is 0 if nothing is wrong, and 41 otherwise.

--key names the publisher's public key file. Without it, verify uses the key in the
release, which shows damage but not who made the release.`,
		Example: "  namibuild verify ./demo-6.1.192 --key kernels.asc",
		Args:    onePath("a folder (a release, a set, or packages)"),
		RunE:    func(c *cobra.Command, args []string) error { return a.verify(c.Context(), args[0], key) },
	}
	c.Flags().StringVar(&key, "key", "", "trust only the publisher's public key in `FILE`")
	return c
}

func (a *app) verify(ctx context.Context, dir, key string) error {
	o := release.VerifyOptions{Dir: dir}
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
