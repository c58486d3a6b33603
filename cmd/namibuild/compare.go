package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/compare"
	"namibuild/builder/event"
	"namibuild/builder/oci"
	"namibuild/builder/plan"
	"namibuild/builder/release"
)

func (a *app) compareCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compare A B",
		Short: "Say what differs between two builds, and why",
		Long: `compare compares two packages, or the packages of two output directories or of two
releases in a container registry (HOST/REPOSITORY:TAG or @sha256:…): tag by tag, file
by file, and inside the files (archives, ELF sections, the kernel in a bzImage). It
leaves signatures out. If the builds have different plans, as a patched and a stock
kernel have, the differences between the plans come first.

The exit code is 0 if they are identical, 20 if every difference has a known reason (a
clock, a host name, a module key; the missing pin is named), and 21 if one has none.`,
		Example: `  namibuild compare out/demo out/demo-again
  namibuild compare out/demo registry.example.org/kernels/demo:6.1.192
  namibuild compare --json signed/kernel-6.1.rpm rebuilt/kernel-6.1.rpm`,
		Args: exactArgs("two arguments, packages, sets or releases", 2),
		RunE: func(c *cobra.Command, args []string) error { return a.compare(c.Context(), args[0], args[1]) },
	}
}

// differError says that two sets are not identical. The verb has printed it.
type differError struct{ verdict compare.Verdict }

func (e differError) Error() string { return "the two differ: " + string(e.verdict) }

func (a *app) compare(ctx context.Context, one, two string) error {
	d := newDisplay(os.Stderr, false)
	defer d.Close()
	const want = "a package, a set, or a release (HOST/REPOSITORY:TAG)"
	x, remove, err := a.published(ctx, d, one, want)
	if err != nil {
		return err
	}
	defer remove()
	y, remove, err := a.published(ctx, d, two, want)
	if err != nil {
		return err
	}
	defer remove()
	d.Close()
	found, err := builder.Compare(x, y)
	if err != nil {
		return err
	}
	found.A, found.B = one, two
	err = a.print("result", found, func() error { return printComparison(os.Stdout, found) })
	if err == nil && found.Verdict != compare.Identical {
		err = differError{found.Verdict}
	}
	return err
}

// published returns the path of what is published at a path or in a registry. The caller
// calls the function when the path is no longer needed.
func (a *app) published(ctx context.Context, d *display, where, want string) (string, func() error, error) {
	path, remove, err := release.OpenPublished(ctx, where, release.RegistryOptions{PlainHTTP: oci.Loopback(where), UserAgent: userAgent(), Tell: a.tell(d)})
	if gone := exists(where, want); gone != nil && missing(err) && !errors.As(err, new(*event.StepError)) {
		err = gone // neither a path nor a reference
	}
	return path, remove, a.cause(ctx, err)
}

// printComparison writes the report for people: how the plans differ, which explains most
// of the rest, and then the findings in every file, each with its first place.
func printComparison(w io.Writer, c builder.Comparison) error {
	printPlans(w, c.Plans)
	for _, p := range c.Pairs {
		leftOut := ""
		if len(p.LeftOut) > 0 {
			leftOut = " (signatures left out: " + strings.Join(p.LeftOut, ", ") + ")"
		}
		fmt.Fprintf(w, "%s: %s%s\n", p.Name, p.Verdict, leftOut)
		for _, f := range p.Findings {
			if f.Kind != compare.Follows {
				printFinding(w, f, c.Plans)
			}
		}
		printFollows(w, p.Findings)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", summary(c.Report))
	return err
}

// printPlans prints in what the plans of two builds differ.
func printPlans(w io.Writer, differences []plan.Difference) {
	if len(differences) == 0 {
		return
	}
	fmt.Fprintln(w, "the builds have different plans, A | B:")
	for _, d := range differences {
		fmt.Fprintf(w, "  %-24s %s | %s\n", d.Fact, orNone(d.A), orNone(d.B))
	}
	fmt.Fprintln(w, "this may be the reason for the differences between the packages:")
}

func printFinding(w io.Writer, f compare.Finding, plans []plan.Difference) {
	name := string(f.Kind)
	if f.Cause != nil {
		name = f.Cause.Name
	}
	at := f.At[0]
	fmt.Fprintf(w, "  %-15s %s%s\n", name, at.Place, more(f.Count))
	fmt.Fprintf(w, "    A             %s\n    B             %s\n", at.A, at.B)
	if f.Cause == nil {
		return
	}
	fmt.Fprintf(w, "    why           %s\n    pin           %s\n", f.Cause.Why, f.Cause.Pin)
	for _, d := range plans {
		if slices.Contains(f.Cause.Facts, d.Fact) {
			fmt.Fprintf(w, "    in the plans  %s: %s | %s\n", d.Fact, orNone(d.A), orNone(d.B))
		}
	}
}

// more says how many places are like the one that is named.
func more(count int) string {
	switch {
	case count == 1:
		return ""
	case count == 2:
		return ", and one more"
	}
	return fmt.Sprintf(", and %d more", count-1)
}

// printFollows prints on one line what only follows from other differences.
func printFollows(w io.Writer, all []compare.Finding) {
	var names []string
	for _, f := range all {
		if f.Kind == compare.Follows {
			names = append(names, strings.TrimPrefix(f.What, "header tag "))
		}
	}
	if len(names) > 0 {
		fmt.Fprintf(w, "  and as a consequence: %s\n", strings.Join(names, ", "))
	}
}

// orNone returns a value of a plan on one line.
func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return fit(s, 60)
}

func summary(r compare.Report) string {
	count := map[compare.Verdict]int{}
	for _, p := range r.Pairs {
		count[p.Verdict]++
	}
	return fmt.Sprintf("%s: %d identical, %d explained, %d unexplained", r.Verdict,
		count[compare.Identical], count[compare.Explained], count[compare.Unexplained])
}
