package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/plan"
	"namibuild/builder/vary"
)

// addUnpin adds the flag that leaves pins out.
func (f *buildFlags) addUnpin(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.unpinned, "unpin", nil, "leave `PINS` out, to see what they are for: "+strings.Join(plan.Pins(), ", "))
	c.RegisterFlagCompletionFunc("unpin", cobra.FixedCompletions(plan.Pins(), cobra.ShellCompDirectiveNoFileComp))
}

// addVary adds the flag that changes what should not affect the packages.
func (f *buildFlags) addVary(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.varied, "vary", nil, "change `WHAT` should not affect the packages: shuffle (order of directories), cpus=LIST (processors, such as 0-1), jobs=N, tmpfs=SIZE, volume (where the topdir lies), date=DAYS (from today, such as 400 or -30)")
}

// setPins applies both flags.
func (f *buildFlags) setPins(o *builder.Options) error {
	o.Unpinned = f.unpinned
	for _, word := range f.varied {
		if err := setVary(&o.Vary, word); err != nil {
			return err
		}
	}
	for _, name := range f.unpinned {
		if !slices.Contains(plan.Pins(), name) {
			return usageError{fmt.Errorf("--unpin %s: must be one of %s", name, strings.Join(plan.Pins(), ", "))}
		}
	}
	return nil
}

// mostDays is the most days that a build can be from today: a century.
const mostDays = 36525

// setVary applies one word of --vary.
func setVary(v *vary.Options, word string) error {
	name, value, _ := strings.Cut(word, "=")
	switch {
	case word == "shuffle":
		v.Shuffle = true
		return nil
	case word == "volume":
		v.Volume = true
		return nil
	case name == "cpus" && value != "" && strings.Trim(value, "0123456789-") == "":
		v.CPUs = value
		return nil
	case name == "jobs":
		if n, err := strconv.Atoi(value); err == nil && n > 0 {
			v.Jobs = n
			return nil
		}
	case name == "date":
		if n, err := strconv.Atoi(value); err == nil && n != 0 && max(n, -n) <= mostDays {
			v.Days = n
			return nil
		}
	case name == "tmpfs":
		var size bytesFlag
		if err := size.Set(value); err == nil {
			v.Tmpfs = int64(size)
			return nil
		}
	}
	return usageError{fmt.Errorf("--vary %s: must be shuffle, cpus=LIST, jobs=N, tmpfs=SIZE, volume or date=DAYS", word)}
}
