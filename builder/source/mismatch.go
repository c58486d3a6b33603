package source

import (
	"fmt"
	"strconv"
	"strings"
)

// Fault is one thing that the recipe counts on and the SRPM does not have.
type Fault struct {
	// File is the spec, the tarball, or a file of the kernel tree.
	File string
	// Line is where in File; 0 where no line can be named.
	Line        int
	Want, Found string
}

func (f Fault) String() string {
	where := f.File
	if f.Line > 0 {
		where = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	return fmt.Sprintf("%s: want %s, found %s", where, f.Want, f.Found)
}

// MismatchError holds every fault between one recipe and one SRPM.
type MismatchError struct {
	Faults []Fault
}

// Error gives one line a fault.
func (e *MismatchError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// mismatch is nil where there is no fault.
func mismatch(faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return &MismatchError{Faults: faults}
}

// clip quotes text for a message and keeps it short.
func clip(text string) string {
	const most = 100
	if len(text) > most {
		text = text[:most] + "…"
	}
	quoted := strconv.Quote(text)
	return "`" + strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + "`"
}

// numbers writes line numbers as "line 3" or "lines 3, 9"; a long list is cut.
func numbers(lines []int) string {
	const most = 10
	words := make([]string, 0, most)
	for i, n := range lines {
		if i == most {
			words = append(words, "…")
			break
		}
		words = append(words, fmt.Sprint(n))
	}
	if len(words) == 1 {
		return "line " + words[0]
	}
	return "lines " + strings.Join(words, ", ")
}
