package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// oneArg demands exactly one argument. The error says what it is.
func oneArg(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return usageError{fmt.Errorf("%s takes one argument, %s, and got %d", c.CommandPath(), what, len(args))}
	}
}

// onePath demands exactly one argument, a path that exists.
func onePath(what string) cobra.PositionalArgs {
	return cobra.MatchAll(oneArg(what), firstPath(what))
}

// firstPath demands that the first argument is a path that exists.
func firstPath(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error { return exists(args[0], what) }
}

// exactArgs demands n arguments. The error says what they are.
func exactArgs(what string, n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return usageError{fmt.Errorf("%s takes %s, and got %d", c.CommandPath(), what, len(args))}
	}
}

// noArgs demands that there is no argument.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{fmt.Errorf("%s takes no argument and got %q", c.CommandPath(), args[0])}
}

// suggestDistance is the most letters in which a suggested command differs from what
// was typed: cobra's own default.
const suggestDistance = 2

// parent makes a command that only holds other commands. It prints its help, or says
// that there is no command of the name that was typed.
func parent(c *cobra.Command) *cobra.Command {
	c.Args = knownCommand
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.SuggestionsMinimumDistance = suggestDistance
	return c
}

// knownCommand reports that a parent has no command of the name that was typed.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknown("command", c, args[0])
}

// unknown makes the error for a word that names no command below c. what says what the word
// should have been.
func unknown(what string, c *cobra.Command, word string) error {
	text := fmt.Sprintf("unknown %s %q for %q", what, word, c.CommandPath())
	if similar := c.SuggestionsFor(word); len(similar) > 0 {
		text += "; did you mean " + strings.Join(similar, " or ")
	}
	return usageError{errors.New(text)}
}

// badFlags makes the error for flags that cannot be parsed. The verb comes first: a flag
// of a verb that does not exist is unknown in any case.
func (a *app) badFlags(c *cobra.Command, err error) error {
	a.json = a.json || wantsJSON(c.Root(), a.args)
	if c.HasSubCommands() {
		if err := knownCommand(c, c.Flags().Args()); err != nil {
			return err
		}
	}
	return usageError{err}
}

// wantsJSON reports whether --json is among arguments that cobra did not parse to their end.
func wantsJSON(root *cobra.Command, args []string) bool {
	f := pflag.NewFlagSet(root.Name(), pflag.ContinueOnError)
	f.ParseErrorsAllowlist.UnknownFlags = true
	f.AddFlagSet(root.PersistentFlags())
	f.BoolP("help", "h", false, "") // pflag ends at a --help that it does not know
	if err := f.Parse(args); err != nil {
		return false
	}
	wanted, err := f.GetBool("json")
	return err == nil && wanted
}

// excludes is the annotation of a flag that names the flags that must not be set with it.
const excludes = "namibuild_excludes"

// exclusive declares that flag and each of the others exclude each other.
func exclusive(c *cobra.Command, flag string, others ...string) {
	f := c.Flags().Lookup(flag)
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[excludes] = append(f.Annotations[excludes], others...)
}

// checkExclusive reports two flags that exclude each other and are both set.
func checkExclusive(c *cobra.Command) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) { // only those that are set
		for _, other := range f.Annotations[excludes] {
			if err == nil && c.Flags().Changed(other) {
				err = usageError{fmt.Errorf("--%s and --%s exclude each other", min(f.Name, other), max(f.Name, other))}
			}
		}
	})
	return err
}

// exists reports an error if nothing exists at a path of the command line. want says
// what the path should name. Other faults are left to whoever opens the path.
func exists(path, want string) error {
	if _, err := os.Stat(path); missing(err) {
		return usageError{fmt.Errorf("no such file or folder: %s; want %s", path, want)}
	}
	return nil
}

// missing reports whether an error says that a path names nothing.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
