package source

import (
	"fmt"
	"slices"
	"strings"

	"namibuild/builder/recipe"
)

// fragment is the file of SOURCES whose options win over all others in a spec
// family: plain for the kernel, debug, if the family has one apart, for the
// kernel-debug package. VERSION in a name is the SRPM's.
type fragment struct{ plain, debug string }

// fragments are those that are known, the first that an SRPM has counts.
var fragments = []fragment{
	// el9: merge.pl lays this one over each configuration.
	{plain: "kernel-local"},
	// el6: Makefile.config merges a dozen files, these two over the others.
	{"config-x86_64-nodebug-rhel", "config-x86_64-debug-rhel"},
	{"config-x86_64-nodebug", "config-x86_64-debug"},
	// el7 and el8: a whole configuration for each kernel.
	{"kernel-VERSION-x86_64.config", "kernel-VERSION-x86_64-debug.config"},
	{"kernel-x86_64.config", "kernel-x86_64-debug.config"},
	// ELRepo: one kernel, one configuration.
	{plain: "config-VERSION-x86_64"},
	// recipes/demo
	{plain: "config"},
}

// fragmentsOf are the files that take the recipe's options: none without
// options, and a fault where no file is known.
func fragmentsOf(s *srpm, r recipe.Recipe) ([]string, *Fault) {
	if len(r.Config) == 0 {
		return nil, nil
	}
	there := func(name string) bool {
		_, shipped := s.files[name]
		return shipped || slices.ContainsFunc(r.Sources, func(a recipe.Added) bool { return a.As == name })
	}
	version := strings.NewReplacer("VERSION", s.pkg.NEVRA().Version)
	var known []string
	for _, f := range fragments {
		plain, debug := version.Replace(f.plain), version.Replace(f.debug)
		if known = append(known, plain); !there(plain) {
			continue
		}
		if debug != "" && there(debug) && makesDebug(r.Rpmbuild) {
			return []string{plain, debug}, nil
		}
		return []string{plain}, nil
	}
	return nil, &Fault{File: s.spec, Want: "a file of SOURCES that config: can set options in (" + strings.Join(known, ", ") + ")", Found: "none of them"}
}

// makesDebug tells whether these switches leave the kernel-debug package, which
// the specs of el6 to el9 make by default.
func makesDebug(r recipe.Rpmbuild) bool {
	return !slices.Contains(r.With, "baseonly") && !slices.Contains(r.Without, "debug")
}

// addConfig puts the options to the targets of their files.
func addConfig(list []*target, names []string, options []recipe.Option) []*target {
	for _, name := range names {
		i := slices.IndexFunc(list, func(t *target) bool { return t.path == name })
		if i < 0 {
			i = len(list)
			list = append(list, &target{lookout: lookout{path: name}})
		}
		list[i].config = options
	}
	return list
}

// setOptions leaves each option in text exactly once: merge.pl goes by the
// first line of an option, Kconfig by the last. New ones come to the end. A
// note tells of an option that text sets more than once.
func setOptions(file string, text []byte, options []recipe.Option) ([]byte, []string) {
	lines := strings.SplitAfter(string(text), "\n")
	at := map[string][]int{} // of an option, the indexes of its lines
	for i, line := range lines {
		if o, ok := recipe.OptionOf(line); ok {
			at[o.Name] = append(at[o.Name], i)
		}
	}
	var notes, added []string
	for _, o := range options {
		found := at[o.Name]
		if len(found) == 0 {
			added = append(added, o.Line()+"\n")
			continue
		}
		for _, i := range found[1:] {
			lines[i] = ""
		}
		lines[found[0]] = setLine(lines[found[0]], o)
		if len(found) > 1 {
			notes = append(notes, fmt.Sprintf("SOURCES/%s sets %s more than once (%s): the recipe's takes the place of all", file, o.Name, lineNumbers(found)))
		}
	}
	out := strings.Join(lines, "")
	if len(added) > 0 && out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	return []byte(out + strings.Join(added, "")), notes
}

// setLine is a line with the option in it, as it was if it says so already.
func setLine(line string, o recipe.Option) string {
	if was, _ := recipe.OptionOf(line); was == o {
		return line
	}
	return o.Line() + "\n"
}

// lineNumbers are indexes as a person counts lines.
func lineNumbers(indexes []int) string {
	list := make([]int, len(indexes))
	for i, n := range indexes {
		list[i] = n + 1
	}
	return numbers(list)
}
