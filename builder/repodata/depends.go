package repodata

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"namibuild/builder/rpm"
)

// entry is a dependency in a list. Without flags it has no version.
type entry struct {
	Name    string `xml:"name,attr"`
	Flags   string `xml:"flags,attr,omitempty"`
	Epoch   string `xml:"epoch,attr,omitempty"`
	Version string `xml:"ver,attr,omitempty"`
	Release string `xml:"rel,attr,omitempty"`
	Pre     string `xml:"pre,attr,omitempty"`
}

// entries are the dependencies of one kind. A nil pointer is left out of the list.
type entries struct {
	List []entry `xml:"rpm:entry"`
}

// relation returns the entries of a kind, or nil if there are none.
func relation(list []entry) *entries {
	if len(list) == 0 {
		return nil
	}
	return &entries{list}
}

// relations are the dependencies of a package, in the order of the lists.
type relations struct {
	Provides    *entries `xml:"rpm:provides"`
	Requires    *entries `xml:"rpm:requires"`
	Conflicts   *entries `xml:"rpm:conflicts"`
	Obsoletes   *entries `xml:"rpm:obsoletes"`
	Suggests    *entries `xml:"rpm:suggests"`
	Enhances    *entries `xml:"rpm:enhances"`
	Recommends  *entries `xml:"rpm:recommends"`
	Supplements *entries `xml:"rpm:supplements"`
}

// relations returns the dependencies of the package.
func (f facts) relations() (relations, error) {
	all := map[rpm.Relation][]entry{}
	for kind := rpm.Provides; kind <= rpm.Supplements; kind++ {
		list, err := f.rpm.Dependencies(kind)
		if err != nil {
			return relations{}, err
		}
		for _, d := range list {
			to := kind
			if kind == rpm.Requires && d.Flags&rpm.SenseMissingOK != 0 {
				to = rpm.Recommends // what rpm before 4.12 called it
			}
			e, err := newEntry(d, to)
			if err != nil {
				return relations{}, err
			}
			all[to] = append(all[to], e)
		}
	}
	return relations{
		Provides:    relation(all[rpm.Provides]),
		Requires:    relation(f.needed(all[rpm.Requires], all[rpm.Provides])),
		Conflicts:   relation(all[rpm.Conflicts]),
		Obsoletes:   relation(all[rpm.Obsoletes]),
		Suggests:    relation(all[rpm.Suggests]),
		Enhances:    relation(all[rpm.Enhances]),
		Recommends:  relation(all[rpm.Recommends]),
		Supplements: relation(all[rpm.Supplements]),
	}, nil
}

// compared has the words for the flags that compare versions.
var compared = map[rpm.Sense]string{
	rpm.SenseLess:                     "LT",
	rpm.SenseGreater:                  "GT",
	rpm.SenseEqual:                    "EQ",
	rpm.SenseLess | rpm.SenseEqual:    "LE",
	rpm.SenseGreater | rpm.SenseEqual: "GE",
}

// newEntry turns a dependency of a header into an entry.
func newEntry(d rpm.Dependency, kind rpm.Relation) (entry, error) {
	e := entry{Name: clean(d.Name), Flags: compared[d.Flags&(rpm.SenseLess|rpm.SenseGreater|rpm.SenseEqual)]}
	if kind == rpm.Requires && d.Flags&(rpm.SensePrereq|rpm.SenseScriptPre|rpm.SenseScriptPost) != 0 {
		e.Pre = "1"
	}
	if e.Flags == "" || d.Version == "" {
		return e, nil
	}
	version := d.Version
	e.Epoch = "0"
	if epoch, rest, ok := strings.Cut(version, ":"); ok {
		if _, err := strconv.ParseUint(epoch, 10, 32); err != nil {
			return e, fmt.Errorf("dependency %s: %q has no number as its epoch", d.Name, d.Version)
		}
		e.Epoch, version = epoch, rest
	}
	version, release, _ := strings.Cut(version, "-")
	e.Version, e.Release = clean(version), clean(release)
	return e, nil
}

// needed removes the requirements that no other package has to satisfy, as every
// createrepo does: features of rpm, and what the package itself provides. Of the symbol
// versions of the C library it keeps only the highest, which comes last.
func (f facts) needed(requires, provides []entry) []entry {
	owned := map[string]bool{}
	for _, file := range f.files {
		owned[file.Path] = primaryFile(file.Path)
	}
	var list, libc []entry
	last := map[string]entry{}
	for _, e := range requires {
		provided := e
		provided.Pre = ""
		switch {
		case strings.HasPrefix(e.Name, "rpmlib("), owned[e.Name], slices.Contains(provides, provided), last[e.Name] == e:
		case strings.HasPrefix(e.Name, "libc.so.6"):
			libc = append(libc, e)
		default:
			list, last[e.Name] = append(list, e), e
		}
	}
	if len(libc) > 0 {
		list = append(list, slices.MaxFunc(libc, func(a, b entry) int {
			return rpm.CompareVersions(symbolVersion(a.Name), symbolVersion(b.Name))
		}))
	}
	return list
}

// symbolVersion returns the version in the name of a library: 2.4 for
// libc.so.6(GLIBC_2.4)(64bit).
func symbolVersion(name string) string {
	_, rest, _ := strings.Cut(name, "(")
	version, _, _ := strings.Cut(rest, ")")
	return strings.TrimLeftFunc(version, func(c rune) bool { return c < '0' || c > '9' })
}

// primaryFile reports whether the list primary has a file. Packages can require these
// files by their paths without yum having to read filelists. Every createrepo and every
// yum has these three rules.
func primaryFile(path string) bool {
	return strings.HasPrefix(path, "/etc/") || path == "/usr/lib/sendmail" || strings.Contains(path, "bin/")
}
