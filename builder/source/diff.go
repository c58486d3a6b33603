package source

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff returns the unified diff of all changes, with three lines of context, for
// git apply and patch -p1. They cannot apply it to files that are not text. The
// renamed tarball and directory of a tag are not in the diff, but in Renames.
func (p Preview) Diff() string {
	var out strings.Builder
	for _, c := range p.Changes {
		c.write(&out)
	}
	return out.String()
}

// write writes the part of the diff for one file, in git's form.
func (c Change) write(out *strings.Builder) {
	text := diff.Diff("a", c.Before, "b", c.After)
	if text == nil && c.same() {
		return
	}
	from, to := c.Path, c.Path
	if c.From != "" {
		from = c.From
	}
	fmt.Fprintf(out, "diff --git a/%s b/%s\n", from, to)
	c.writeModes(out)
	if c.From != "" {
		fmt.Fprintf(out, "rename from %s\nrename to %s\n", from, to)
	}
	old, next := named("a/", from, c.OldMode == 0 && c.Mode != 0), named("b/", to, c.Mode == 0 && c.OldMode != 0)
	switch {
	case text == nil:
	case bytes.IndexByte(c.Before, 0) >= 0 || bytes.IndexByte(c.After, 0) >= 0:
		fmt.Fprintf(out, "Binary files a/%s and b/%s differ\n", from, to)
	default:
		out.WriteString("--- " + old + "+++ " + next)
		out.Write(bytes.SplitN(text, []byte("\n"), 4)[3]) // without the three lines of the library's head
	}
}

func (c Change) writeModes(out *strings.Builder) {
	switch {
	case c.OldMode == c.Mode:
	case c.OldMode == 0:
		fmt.Fprintf(out, "new file mode %o\n", c.Mode)
	case c.Mode == 0:
		fmt.Fprintf(out, "deleted file mode %o\n", c.OldMode)
	default:
		fmt.Fprintf(out, "old mode %o\nnew mode %o\n", c.OldMode, c.Mode)
	}
}

// named returns the name of a file for a line --- or +++.
func named(side, name string, none bool) string {
	switch {
	case none:
		return "/dev/null\n"
	case strings.Contains(name, " "):
		return side + name + "\t\n" // git does this too, so that patch takes the complete name
	}
	return side + name + "\n"
}
