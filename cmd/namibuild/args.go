package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// oneArg wants exactly one argument and says what it is.
func oneArg(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return usageError{fmt.Errorf("%s takes one argument, %s, and got %d", c.CommandPath(), what, len(args))}
	}
}

// onePath wants exactly one argument, the path of something that is there.
func onePath(what string) cobra.PositionalArgs {
	return cobra.MatchAll(oneArg(what), firstPath(what))
}

// firstPath wants the first argument to be the path of something that is there.
func firstPath(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error { return there(args[0], what) }
}

// exactArgs wants n arguments and says what they are.
func exactArgs(what string, n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return usageError{fmt.Errorf("%s takes %s, and got %d", c.CommandPath(), what, len(args))}
	}
}

// noArgs wants none.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{fmt.Errorf("%s takes no argument and got %q", c.CommandPath(), args[0])}
}

// exclusives is how cobra tells of flags that exclude each other.
var exclusives = regexp.MustCompile(`^if any flags in the group \[.*\] are set none of the others can be; \[(\S+) (\S+).*\] were all set$`)

// worded gives those mistakes of the command line that cobra has no type for our
// type and our words. Any other error stays as it is.
func worded(err error) error {
	if err == nil {
		return nil
	}
	if flags := exclusives.FindStringSubmatch(err.Error()); flags != nil {
		return usageError{fmt.Errorf("--%s and --%s exclude each other", flags[1], flags[2])}
	}
	if text, unknown := strings.CutPrefix(err.Error(), "unknown command "); unknown {
		text = strings.ReplaceAll(strings.TrimSpace(text), "\n\nDid you mean this?\n\t", "; did you mean ")
		return usageError{errors.New("unknown command " + text)}
	}
	return err
}

// there says what was expected at a path of the command line where nothing is.
// What else is wrong with it, who opens it will say.
func there(path, what string) error {
	_, err := os.Stat(path)
	if absent(err) {
		return usageError{fmt.Errorf("%s: nothing is there; %s was expected", path, what)}
	}
	return nil
}

// absent: a path names nothing.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
