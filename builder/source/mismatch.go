package source

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one thing that the recipe needs and the SRPM does not have.
type Fault struct {
	// File is the spec, the tarball, a file in either, or a patch.
	File string
	// Line is the line in File, from 1, or 0 if there is no such line.
	Line int
	// Entry is the edit of the recipe that needs it, such as "edit 3 of my.yaml". It is
	// empty for other changes.
	Entry       string
	Want, Found string
}

// String returns "FILE:LINE: ENTRY: want …, found …", without a line or an entry that
// does not exist.
func (f Fault) String() string {
	where := f.File
	if f.Line > 0 {
		where = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	if f.Entry != "" {
		where += ": " + f.Entry
	}
	return fmt.Sprintf("%s: want %s, found %s", where, f.Want, f.Found)
}

// MismatchError reports that a recipe does not fit an SRPM, with all faults.
type MismatchError struct {
	Faults []Fault
}

// Error returns the faults, one on each line.
func (e *MismatchError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// UnknownFamily reports whether the recipe has a tag, and the spec is of no family in
// which the places of a tag are known.
func (e *MismatchError) UnknownFamily() bool {
	return slices.ContainsFunc(e.Faults, func(f Fault) bool { return f.Want == wantFamily })
}

// mismatch returns the error for faults, or nil if there are none.
func mismatch(faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return &MismatchError{Faults: faults}
}

// clip returns text in backquotes for a message, cut to 100 bytes.
func clip(text string) string {
	const most = 100
	if len(text) > most {
		text = text[:most] + "…"
	}
	quoted := strconv.Quote(text)
	return "`" + strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + "`"
}

// numbers returns line numbers as "line 3" or "lines 3, 9". A long list is cut.
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
