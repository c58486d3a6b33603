package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"namibuild/builder"
	"namibuild/builder/compare"
	"namibuild/builder/plan"
)

func (a *app) compareCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compare A B",
		Short: "Tell what differs between two builds, and why",
		Long: `compare looks at two packages, or at the packages of two output directories or
releases in a container registry (HOST/REPOSITORY:TAG or @sha256:…): tag by tag, file
by file, and into the files (archives, ELF sections, the kernel in a bzImage).
Signatures are left out. Of builds of two plans, as of a patched and a stock kernel,
what the plans differ in comes first.

It ends with 0 when they are identical, 20 when every difference has a known
reason (a clock, a host name, a module key: named with the pin that was missing),
21 when one has none.`,
		Example: `  namibuild compare out/demo out/demo-again
  namibuild compare out/demo registry.example.org/kernels/demo:6.1.192
  namibuild compare --json signed/kernel-6.1.rpm rebuilt/kernel-6.1.rpm`,
		Args: exactArgs("two arguments, packages, sets or releases", 2),
		RunE: func(c *cobra.Command, args []string) error { return a.compare(c.Context(), args[0], args[1]) },
	}
}

// differError says that two sets are not identical. It was printed already.
type differError struct{ verdict compare.Verdict }

func (e differError) Error() string { return "the two differ: " + string(e.verdict) }

func (a *app) compare(ctx context.Context, one, two string) error {
	d := newDisplay(os.Stderr, false)
	defer d.Close()
	const what = "a package, a set, or a release (HOST/REPOSITORY:TAG)"
	x, done, err := a.published(ctx, d, one, what)
	if err != nil {
		return err
	}
	defer done()
	y, done, err := a.published(ctx, d, two, what)
	if err != nil {
		return err
	}
	defer done()
	d.Close()
	found, err := builder.Compare(x, y)
	if err != nil {
		return err
	}
	found.A, found.B = one, two
	if err := a.showComparison(found); err != nil {
		return err
	}
	if found.Verdict != compare.Identical {
		return differError{found.Verdict}
	}
	return nil
}

func (a *app) showComparison(found builder.Comparison) error {
	if a.json {
		a.emit(struct {
			Event string `json:"event"`
			builder.Comparison
		}{"result", found})
		return nil
	}
	return printComparison(os.Stdout, found)
}

// printComparison writes the report for people: what the plans differ in, which
// explains most of what comes then, and each file, its findings with their first
// place.
func printComparison(w io.Writer, c builder.Comparison) error {
	printPlans(w, c.Plans)
	for _, p := range c.Pairs {
		beneath := ""
		if len(p.LeftOut) > 0 {
			beneath = " (signatures left out: " + strings.Join(p.LeftOut, ", ") + ")"
		}
		fmt.Fprintf(w, "%s: %s%s\n", p.Name, p.Verdict, beneath)
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

// printPlans tells of two builds that are not of one plan.
func printPlans(w io.Writer, differences []plan.Difference) {
	if len(differences) == 0 {
		return
	}
	fmt.Fprintln(w, "builds of two plans, A | B:")
	for _, d := range differences {
		fmt.Fprintf(w, "  %-24s %s | %s\n", d.Fact, orNone(d.A), orNone(d.B))
	}
	fmt.Fprintln(w, "what the packages differ in may come from that:")
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

// more tells of the places that are like the one named.
func more(count int) string {
	switch {
	case count == 1:
		return ""
	case count == 2:
		return ", and one more"
	}
	return fmt.Sprintf(", and %d more", count-1)
}

// printFollows writes what follows from the rest on one line.
func printFollows(w io.Writer, all []compare.Finding) {
	var names []string
	for _, f := range all {
		if f.Kind == compare.Follows {
			names = append(names, strings.TrimPrefix(f.What, "header tag "))
		}
	}
	if len(names) > 0 {
		fmt.Fprintf(w, "  and what follows: %s\n", strings.Join(names, ", "))
	}
}

// orNone is a value of a plan on one line.
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
