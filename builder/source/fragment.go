package source

import (
	"fmt"
	"slices"
	"strings"

	"namibuild/builder/recipe"
)

// fragment names the file of SOURCES whose options override all others in a family
// of specs: plain is that of the kernel, and debug that of the kernel-debug
// package, if it is another file. VERSION in a name stands for that of the SRPM.
type fragment struct{ plain, debug string }

// fragments are the known ones. The first one that an SRPM has is used.
var fragments = []fragment{
	// el9: merge.pl puts this one on top of each configuration.
	{plain: "kernel-local"},
	// el6: Makefile.config merges a dozen files, with these two on top.
	{"config-x86_64-nodebug-rhel", "config-x86_64-debug-rhel"},
	{"config-x86_64-nodebug", "config-x86_64-debug"},
	// el7 and el8: a complete configuration for each kernel.
	{"kernel-VERSION-x86_64.config", "kernel-VERSION-x86_64-debug.config"},
	{"kernel-x86_64.config", "kernel-x86_64-debug.config"},
	// ELRepo: one kernel, one configuration.
	{plain: "config-VERSION-x86_64"},
	// recipes/demo
	{plain: "config"},
}

// fragmentsOf returns the files in which the recipe's options are set. There is none
// without options, and a fault if no file is known.
func fragmentsOf(s *srpm, r recipe.Recipe) ([]string, *Fault) {
	if len(r.Config) == 0 {
		return nil, nil
	}
	exists := func(name string) bool {
		_, shipped := s.files[name]
		return shipped || slices.ContainsFunc(r.Sources, func(a recipe.Added) bool { return a.As == name })
	}
	version := strings.NewReplacer("VERSION", s.pkg.NEVRA().Version)
	var known []string
	for _, f := range fragments {
		plain, debug := version.Replace(f.plain), version.Replace(f.debug)
		if known = append(known, plain); !exists(plain) {
			continue
		}
		if debug != "" && exists(debug) && makesDebug(r.Rpmbuild) {
			return []string{plain, debug}, nil
		}
		return []string{plain}, nil
	}
	return nil, &Fault{File: s.spec, Want: "a file of SOURCES that config: can set options in (" + strings.Join(known, ", ") + ")", Found: "none of them"}
}

// makesDebug tells whether rpmbuild makes the kernel-debug package with these
// switches. The specs of el6 to el9 make it by default.
func makesDebug(r recipe.Rpmbuild) bool {
	return !slices.Contains(r.With, "baseonly") && !slices.Contains(r.Without, "debug")
}

// addConfig adds the options to the targets of their files.
func addConfig(list []*target, names []string, options []recipe.Option) []*target {
	for _, name := range names {
		i := slices.IndexFunc(list, func(t *target) bool { return t.path == name })
		if i < 0 {
			i = len(list)
			list = append(list, &target{expected: expected{path: name}})
		}
		list[i].config = options
	}
	return list
}

// setOptions sets each option in text exactly once, because merge.pl uses the first
// line of an option and Kconfig the last. New options are appended. It returns
// notes about options that text sets more than once.
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
			notes = append(notes, fmt.Sprintf("SOURCES/%s sets %s more than once (%s): the recipe's value replaces all of them", file, o.Name, lineNumbers(found)))
		}
	}
	out := strings.Join(lines, "")
	if len(added) > 0 && out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	return []byte(out + strings.Join(added, "")), notes
}

// setLine returns the line that sets the option. A line that already does stays as
// it is.
func setLine(line string, o recipe.Option) string {
	if was, _ := recipe.OptionOf(line); was == o {
		return line
	}
	return o.Line() + "\n"
}

// lineNumbers returns indexes of lines as numbers from 1, in words.
func lineNumbers(indexes []int) string {
	list := make([]int, len(indexes))
	for i, n := range indexes {
		list[i] = n + 1
	}
	return numbers(list)
}
