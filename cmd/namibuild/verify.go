package main

import (
	"context"
	"fmt"
	"os"

	"namibuild/builder/release"

	"github.com/spf13/cobra"
)

func (a *app) verifyCommand() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check everything that a release says of itself",
		Long: `verify looks at a release bundle, at the output directory of a build, or at a folder of
packages: every digest and signature, that the packages beneath their signatures are
what the build made and the proof is about, the lock, the repository's lists, the
bills of materials, the provenance, the digests of all files. It needs no engine and no
network. What a release says against itself is shown as a caveat, and is not wrong. The
exit code is 0 when nothing is wrong.

--key is the publisher's public key file. Without it the key in the bundle is taken:
that shows damage, and not who made the bundle.`,
		Example: "  namibuild verify ./demo-6.1.192 --key kernels.asc",
		Args:    onePath("a folder (a release, a set, or packages)"),
		RunE:    func(c *cobra.Command, args []string) error { return a.verify(c.Context(), args[0], key) },
	}
	c.Flags().StringVar(&key, "key", "", "public key file to believe")
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
	d := newDisplay(os.Stdout, a.json)
	o.Tell = a.tell(d)
	v, err := release.Verify(ctx, o)
	d.Close()
	if err != nil {
		return a.cause(ctx, err)
	}
	a.showVerification(d, v)
	return v.Err(dir)
}

func (a *app) showVerification(d *display, v release.Verification) {
	if !a.json {
		printFindings(v)
		return
	}
	d.emit(struct {
		Event  string `json:"event"`
		Passed bool   `json:"passed"`
		release.Verification
	}{"verification", v.Wrong() == 0, v})
}

func printFindings(v release.Verification) {
	for _, f := range v.Findings {
		mark := "ok    "
		switch {
		case !f.Passed:
			mark = "WRONG "
		case f.Caveat:
			mark = "CAVEAT"
		}
		fmt.Printf("%s %-14s %s\n", mark, f.Name, f.Text)
	}
	if v.OwnKey {
		fmt.Printf("the key came with the bundle: compare %s with what its publisher says, or give --key\n", v.Key)
	}
}
