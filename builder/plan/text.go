package plan

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode"

	"namibuild/builder/recipe"
)

// Text describes the plan to a person. It ends with a line break.
func (p Plan) Text() string {
	var b strings.Builder
	b.WriteString(p.Name + "\n")
	for _, fact := range p.facts() {
		fmt.Fprintf(&b, "  %-10s %s\n", fact[0], fact[1])
	}
	p.writeEdits(&b)
	fmt.Fprintf(&b, "\nrpmbuild, in %s\n  %s\n", p.Topdir, strings.ReplaceAll(p.CommandLine(), "\n", "\n  "))
	b.WriteString("\nenvironment\n")
	for _, v := range p.Env {
		fmt.Fprintf(&b, "  %s=%s\n      %s\n", v.Name, quoted(v.Value), v.Reason)
	}
	b.WriteString("\npins, which fix what would differ in another build\n")
	for _, pin := range p.Pins {
		fmt.Fprintf(&b, "  %-10s %s%s\n", pin.Name, off(pin), pin.Holds)
	}
	b.WriteString("\npackages that the build must make\n")
	for _, name := range p.Packages {
		fmt.Fprintf(&b, "  %s\n", name)
	}
	fmt.Fprintf(&b, "\ncontainer\n  %s\n  %s\n",
		fmt.Sprintf("host %s, user %s (%s), no network, no capability, read-only root", p.Hostname, p.UserName, p.User),
		p.limits())
	return b.String()
}

func off(p Pin) string {
	if p.Off {
		return "OFF, so nothing ensures that "
	}
	return ""
}

// facts returns the lines at the top of the text: a name and a value each.
func (p Plan) facts() [][2]string {
	all := [][2]string{{"source", origin(p.Source)}}
	for _, mirror := range p.Source.Mirrors {
		all = append(all, [2]string{"", "or " + mirror})
	}
	for _, why := range trust(p.Source) {
		all = append(all, [2]string{"trust", why})
	}
	if t := p.Source.Tarball; t.Name() != "" {
		all = append(all, [2]string{"tarball", cmp.Or(t.URL, "file "+t.File)}, [2]string{"", "sha256 " + t.SHA256})
	}
	if p.Insecure != "" {
		all = append(all, [2]string{"insecure", "taken although " + strings.Map(printable, p.Insecure)})
	}
	if p.SRPM.File == "" {
		all = append(all, [2]string{"SRPM", "not read yet: its build time, which is the clock of the build, is not known"})
	} else {
		built := time.Unix(p.SRPM.Epoch, 0).UTC().Format("2006-01-02 15:04:05")
		all = append(all, [2]string{"SRPM", p.SRPM.File},
			[2]string{"", "sha256 " + p.SRPM.SHA256}, [2]string{"", "built " + built + " UTC, the clock of this build"})
	}
	all = append(all, [2]string{"image", p.Image}, [2]string{"", "defined by sha256 " + p.ImageDigest})
	if p.Stock {
		all = append(all, [2]string{"stock", "the vendor's own kernel: the recipe's changes are left out"})
	}
	if p.Tag != "" {
		all = append(all, [2]string{"tag", p.Tag})
	} else {
		all = append(all, [2]string{"tag", "none: every name stays as it is"})
	}
	all = append(all, [2]string{"module key", p.ModuleKey.Text()})
	if p.SRPM.File != "" {
		all = append(all, [2]string{"plan", p.ID()})
	}
	return all
}

func origin(s recipe.Source) string {
	switch {
	case s.URL != "":
		return s.URL
	case s.File != "":
		return "file " + path.Base(s.File)
	}
	return "packed here, in a container, from the folder " + s.Pack
}

func trust(s recipe.Source) []string {
	var why []string
	if s.SHA256 != "" {
		why = append(why, "the recipe's sha256 "+s.SHA256)
	}
	if s.SignedBy != "" {
		why = append(why, "a signature by "+s.SignedBy)
	}
	if s.Pack != "" {
		why = append(why, "what the Dockerfile in that folder verifies")
	}
	return why
}

func (p Plan) writeEdits(b *strings.Builder) {
	if len(p.Config) > 0 {
		b.WriteString("\nkernel configuration, checked in the built kernel\n")
	}
	for _, o := range p.Config {
		fmt.Fprintf(b, "  %s\n", o.Line())
	}
	for _, f := range p.Patches {
		fmt.Fprintf(b, "\npatch %s, -p%d\n  sha256 %s\n", f.File, f.Strip, f.SHA256)
	}
	for _, a := range p.Sources {
		fmt.Fprintf(b, "\nSOURCES/%s, from %s\n  sha256 %s\n", a.As, a.File, a.SHA256)
	}
	for _, e := range p.Edits {
		find, how := prefixed("  - ", e.Find), times(e.Times)
		if e.Regexp != "" {
			find, how = prefixed("  ~ ", e.Regexp), "by a regular expression, "+how
		}
		fmt.Fprintf(b, "\nedit of %s, %s\n%s%s", place(e), how, find, prefixed("  + ", e.Replace))
	}
}

// place describes the file of an edit.
func place(e recipe.Edit) string {
	switch e.In {
	case recipe.InSpec:
		return "the spec"
	case recipe.InSources:
		return "SOURCES/" + e.File
	}
	return e.File
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// prefixed puts a mark before every line of a text, and replaces its control
// characters. An empty text gives no line.
func prefixed(mark, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(mark + strings.Map(printable, strings.TrimSuffix(line, "\n")) + "\n")
	}
	return b.String()
}

func printable(r rune) rune {
	if r != '\t' && unicode.IsControl(r) {
		return unicode.ReplacementChar
	}
	return r
}

func (p Plan) limits() string {
	jobs, memory, where := "1 job", "no memory limit", "topdir on a volume"
	if p.Jobs > 1 {
		jobs = fmt.Sprintf("%d jobs", p.Jobs)
	}
	if p.MemoryBytes > 0 {
		memory = size(p.MemoryBytes) + " of memory"
	}
	if p.TmpfsBytes > 0 {
		where = "topdir in " + size(p.TmpfsBytes) + " of it"
	}
	return strings.Join([]string{jobs, memory, where}, ", ")
}

// size returns a number of bytes in GiB, or in MiB if it is less than one GiB.
func size(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
