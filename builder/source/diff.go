package source

import (
	"bytes"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff is the unified diff of all changes with three lines of context; git
// apply and patch -p1 take it. Renames of files stand in Renames alone.
func (p Preview) Diff() string {
	var out strings.Builder
	for _, c := range p.Changes {
		text := diff.Diff("a", c.Before, "b", c.After)
		if text == nil {
			continue
		}
		end := "\n"
		if strings.Contains(c.Path, " ") {
			end = "\t\n" // so that patch takes the whole name, as git does it
		}
		out.WriteString("diff --git a/" + c.Path + " b/" + c.Path + "\n")
		out.WriteString("--- a/" + c.Path + end + "+++ b/" + c.Path + end)
		out.Write(bytes.SplitN(text, []byte("\n"), 4)[3]) // behind the library's own three lines
	}
	return out.String()
}
