package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/plan"
)

// unpin adds the flag that leaves pins out.
func (f *buildFlags) unpin(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.unpinned, "unpin", nil, "go without a pin, to see what it is for: "+strings.Join(plan.Pins(), ", "))
	c.RegisterFlagCompletionFunc("unpin", cobra.FixedCompletions(plan.Pins(), cobra.ShellCompDirectiveNoFileComp))
}

// vary adds the flag of what must not matter.
func (f *buildFlags) vary(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.varied, "vary", nil, "change what must not matter: shuffle (order of directories), cpus=LIST (processors, as 0-1)")
}

// setPins takes both flags.
func (f *buildFlags) setPins(o *builder.Options) error {
	o.Unpinned = f.unpinned
	for _, word := range f.varied {
		switch cpus, some := strings.CutPrefix(word, "cpus="); {
		case word == "shuffle":
			o.Vary.Shuffle = true
		case some && cpus != "" && strings.Trim(cpus, "0123456789-") == "":
			o.Vary.CPUs = cpus
		default:
			return usageError{fmt.Errorf("--vary %s: shuffle or cpus=LIST was expected", word)}
		}
	}
	for _, name := range f.unpinned {
		if !slices.Contains(plan.Pins(), name) {
			return usageError{fmt.Errorf("--unpin %s: one of %s was expected", name, strings.Join(plan.Pins(), ", "))}
		}
	}
	return nil
}
