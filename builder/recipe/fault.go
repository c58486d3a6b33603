package recipe

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong with a recipe, where it stands and what was
// expected there. Line and Column start at 1.
type Fault struct {
	File         string
	Line, Column int
	Message      string
}

// String is FILE:LINE:COLUMN: message, as compilers write it.
func (f Fault) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
}

// Faults are all faults of one recipe in the order of the page. It is the error
// of Parse and holds at least one fault there.
type Faults []Fault

// Error is one fault a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}
