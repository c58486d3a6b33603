package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/set"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check DIR",
		Short: "Look for traces of a build's time and host in its packages",
		Long: `check looks into every package of an output directory for what differs from build
to build: BUILDTIME and BUILDHOST, mtimes later than the build's clock, device and
inode numbers (not in packages of EL6's rpm, which copies them), sizes of directories,
times in gzip headers, and the day of the build and this host's name in all files, of
which it unpacks the compressed ones. build does the same before it writes the output
directory, and warns.

The exit code is 0 if check finds nothing and 22 if it finds something.`,
		Example: "  namibuild check out/demo",
		Args:    onePath("a set (an output directory of build)"),
		RunE:    func(c *cobra.Command, args []string) error { return a.check(c.Context(), args[0]) },
	}
}

// hostName returns the name of this host, or "" for a host that has none.
func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	return host
}

// leaksError says that packages show the time or host of their build. The verb has printed
// what was found.
type leaksError struct{ count int }

func (e leaksError) Error() string {
	return fmt.Sprintf("%d packages show the time or the host of their build", e.count)
}

func (a *app) check(ctx context.Context, dir string) error {
	all, err := builder.Check(ctx, dir, hostName())
	if err != nil {
		return a.cause(ctx, err)
	}
	err = a.print("result", struct {
		Leaks []set.Leaks `json:"leaks"`
	}{all}, func() error { return printLeaks(all) })
	if err == nil && len(all) > 0 {
		err = leaksError{len(all)}
	}
	return err
}

func printLeaks(all []set.Leaks) error {
	if len(all) == 0 {
		_, err := fmt.Println("the packages show neither the time nor the host of their build")
		return err
	}
	for _, l := range all {
		for _, found := range l.Leaks {
			if _, err := fmt.Printf("%s: %s\n", l.Package, found); err != nil {
				return err
			}
		}
	}
	return nil
}
