package recipe

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong with a recipe: its place, and what must stand
// there. Line and Column start at 1.
type Fault struct {
	File         string
	Line, Column int
	Message      string
}

// String returns "FILE:LINE:COLUMN: message", the format of compilers.
func (f Fault) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
}

// Faults are all faults of one recipe, in the order of the page. Parse and Load
// return it as an error, which then has at least one fault.
type Faults []Fault

// Error returns the faults, one on each line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}
