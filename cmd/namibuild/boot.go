package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"namibuild/builder/boot"
	"namibuild/builder/event"
	"namibuild/builder/prove"
	"namibuild/builder/set"
)

func (a *app) bootCommand() *cobra.Command {
	var f bootFlags
	c := &cobra.Command{
		Use:   "boot SET",
		Short: "Boot a built kernel in QEMU and prove that the recipe's changes are in it",
		Long: `boot boots the kernel of a set (the output directory of build, its folder RPMS, or a
kernel package) in QEMU. It checks what the recipe declares under proof: the release
and /proc/version, how long a real socket stays in TIME_WAIT by the guest's clock, the
default of tcp_fin_timeout, modules and their signatures. It always checks that the
kernel neither panics nor warns.

` + machineHelp + `

The output directory gets proof.json and proof.log (the console), whether the checks
pass or not. A release is signed and gets nothing: they go to the folder RELEASE-proof
beside it. The proof to meet is what the recipe said when the set was built, or with
--recipe what the recipe says now. A kernel that does not answer within the default
limit fails. A shorter --limit that runs out gives no verdict and leaves an earlier
proof as it is.

The exit code is 0 if every check passes, 30 if one fails, and 31 if no kernel can be
booted here or there is no verdict.`,
		Example: `  namibuild boot out/demo
  namibuild boot out/demo/RPMS --recipe demo
  namibuild boot ./kernel-6.1.192-1.x86_64.rpm --keep ./guest`,
		Args: onePath("a set (an output directory of build, or a package file)"),
		RunE: func(c *cobra.Command, args []string) error { return a.boot(c.Context(), args[0], f) },
	}
	c.Flags().StringVar(&f.recipe, "recipe", "", "check the proof of `RECIPE` as it is now (default the proof in the set's build.json)")
	f.addMachine(c)
	c.Flags().StringVar(&f.keep, "keep", "", "write the guest's vmlinuz and initramfs to `DIR`")
	f.build.addImages(c)
	f.build.addOffline(c)
	return c
}

func (a *app) boot(ctx context.Context, path string, f bootFlags) error {
	started := time.Now()
	link := a.connect(ctx)
	defer link.close()
	o, err := f.options(a, link)
	if err != nil {
		return err
	}
	p, err := perform(ctx, a, func(tell event.Sink) (boot.Proof, error) {
		o.Tell = tell
		return prove.Boot(ctx, prove.BootOptions{MachineOptions: o, Set: path, Append: strings.Fields(f.words), Keep: f.keep})
	}, func(p boot.Proof) error {
		return printProof(os.Stdout, styleOf(os.Stdout, false), p, path, f.keep, time.Since(started))
	})
	if err != nil {
		return err
	}
	return verdict(p, path)
}

// unprovenError says that a kernel failed checks of its proof.
type unprovenError struct {
	set    string
	failed []boot.Check
	checks int
}

func (e unprovenError) Error() string {
	var list []string
	for _, c := range e.failed {
		list = append(list, fmt.Sprintf("%s: want %s, got %s", c.Name, c.Want, c.Got))
	}
	return fmt.Sprintf("proving %s: %d of %d checks failed: %s", e.set, len(e.failed), e.checks, strings.Join(list, "; "))
}

// verdict returns an error for a kernel that did not pass.
func verdict(p boot.Proof, set string) error {
	if p.Passed {
		return nil
	}
	e := unprovenError{set: set, checks: len(p.Checks)}
	for _, c := range p.Checks {
		if !c.Passed {
			e.failed = append(e.failed, c)
		}
	}
	return e
}

// printProof prints the checks as a table, and how to boot the kernel by hand.
func printProof(w io.Writer, s style, p boot.Proof, path, keep string, took time.Duration) error {
	fmt.Fprintf(w, "\n%s, booted in %s (%s)\n", p.Kernel.Release, short(took), p.Machine)
	width := 0
	for _, c := range p.Checks {
		width = max(width, len(c.Name))
	}
	for _, c := range p.Checks {
		mark, text := tick(s), c.Got
		if !c.Passed {
			mark, text = cross(s), c.Got+"; want "+c.Want
		}
		fmt.Fprintf(w, "  %s %-*s  %s\n", mark, width, c.Name, text)
	}
	where := keep
	if where == "" {
		where = "a folder with its vmlinuz and initramfs (--keep DIR)"
	}
	if place, err := set.Find(path); err == nil && place.Kind != set.Single {
		dir := prove.RecordsDir(place)
		fmt.Fprintf(w, "proof: %s, the console: %s\n", filepath.Join(dir, set.ProofFile), filepath.Join(dir, set.ProofLogFile))
	}
	_, err := fmt.Fprintf(w, "repeat by hand, in %s:\n  %s\n", where, p.Command)
	return err
}
