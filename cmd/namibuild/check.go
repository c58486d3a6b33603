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
		Short: "Look for the moment and the host of a build in its packages",
		Long: `check looks into every package of an output directory for what differs from build
to build: BUILDTIME and BUILDHOST, mtimes later than the build's clock, device and
inode numbers (these not of EL6's rpm, which takes over any), sizes of directories,
gzip stamps, and in all files, unpacked where they are compressed, the day of the build
and this host's name. build does the same before it publishes, and warns.

It ends with 0 when it finds nothing, 22 when it finds any.`,
		Example: "  namibuild check out/demo",
		Args:    onePath("a set (an output directory of build)"),
		RunE:    func(c *cobra.Command, args []string) error { return a.check(c.Context(), args[0]) },
	}
}

// hostName is this host's; one that has none cannot leak it.
func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	return host
}

// leaksError says that something leaked. It was printed already.
type leaksError struct{ count int }

func (e leaksError) Error() string {
	return fmt.Sprintf("what should not be in packages is in %d of them", e.count)
}

func (a *app) check(ctx context.Context, dir string) error {
	all, err := builder.Check(ctx, dir, hostName())
	if err != nil {
		return a.cause(ctx, err)
	}
	if a.json {
		a.emit(struct {
			Event string      `json:"event"`
			Leaks []set.Leaks `json:"leaks"`
		}{"result", all})
	}
	for _, l := range all {
		for _, found := range l.Leaks {
			if !a.json {
				fmt.Printf("%s: %s\n", l.Package, found)
			}
		}
	}
	if len(all) > 0 {
		return leaksError{len(all)}
	}
	if !a.json {
		fmt.Println("nothing of the host or the moment of the build is in its packages")
	}
	return nil
}
