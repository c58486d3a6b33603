package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// TestHelpWidth holds that no help text is wider than 90 columns.
func TestHelpWidth(t *testing.T) {
	t.Setenv("HOME", "/root") // the default of --store is below it
	t.Setenv("XDG_CACHE_HOME", "")
	count := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		count++
		for _, line := range strings.Split(c.Long+"\n"+c.UsageString(), "\n") {
			if n := utf8.RuneCountInString(line); n > 90 {
				t.Errorf("%s: %d columns: %s", c.CommandPath(), n, line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk((&app{}).root())
	if count < 25 {
		t.Errorf("%d commands were looked at", count)
	}
}
