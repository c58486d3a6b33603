package source

import (
	"path"
	"regexp"
	"strings"
)

// family is a kind of kernel spec in which one macro, the knob, sets the release,
// and whose %build writes the release into the Makefile's EXTRAVERSION. The specs
// of el6 are another kind: they spell out the release in the names of the tarball
// and its directories.
type family struct {
	name string
	// sign is a macro that only the specs of this family define. knob is the macro
	// that begins with the number of the release.
	sign, knob string
	// directory is the macro for the name of the tarball's top directory, if the
	// tarball is named by the knob. It is empty if the names of tarball and tree do
	// not depend on the release.
	directory string
}

// families has the families in the order in which familyOf tries them. el7 and el8
// also define distro_build, for the list of kABI symbols; el8 and el9 also define
// pkgrelease, for the source that they were made from.
var families = []family{
	// ELRepo's kernel-ml and kernel-lt have the unchanged tarball of kernel.org.
	{name: "ELRepo", sign: "LKAver", knob: "pkg_release"},
	{name: "el8 and el9", sign: "specrelease", knob: "specrelease"},
	{name: "el7", sign: "rheltarball", knob: "pkgrelease", directory: "rheltarball"},
}

// familyOf recognizes the family by a macro that the spec defines. It returns false
// for el6, and for other specs.
func familyOf(s spec) (family, bool) {
	for _, f := range families {
		if len(s.definitions(f.sign)) > 0 {
			return f, true
		}
	}
	return family{}, false
}

// isEL6 reports whether a spec has one of the macros that the specs of el6 spell out.
func isEL6(s spec) bool {
	return len(s.definitions("distro_build"))+len(s.definitions("kversion")) > 0
}

// wantFamily is what the spec of a recipe with a tag must be.
const wantFamily = "a spec of el6, el7, el8, el9 or ELRepo, where the places of a tag are known"

// tagRelease puts the tag behind the number of the family's knob.
func (r *renaming) tagRelease(f family, tag string, files []string, release string) {
	r.wantExtraversion(f)
	src, found := r.only("`Source0:`", r.spec.sources())
	if found {
		r.findTarball(src, files)
	}
	knob, ok := r.knob(f.knob)
	if !ok {
		return
	}
	number, rest, ok := cutNumber(knob.text)
	if !ok {
		r.fault(knob.line, f.knob+" that begins with the release's number", clip(knob.text))
		return
	}
	next := number + "." + tag + rest
	r.set(knob, next)
	r.renames = append(r.renames, Rename{f.knob, knob.text, next})
	switch {
	case !found || r.tarball == "":
	case f.directory == "":
		r.newTarball = r.tarball
	default:
		r.followKnob(f, src)
	}
	if after, ok := strings.CutPrefix(release, number); ok && (after == "" || after[0] < '0' || after[0] > '9') {
		r.warnIfOlder(tag, number+"."+tag+after, release)
	}
}

// cutNumber cuts a release in front of its dist tag: before the first macro, or, if
// it has none, behind the last part that is a number.
func cutNumber(release string) (number, rest string, ok bool) {
	if at := strings.IndexByte(release, '%'); at > 0 {
		number, rest = release[:at], release[at:]
		return number, rest, literal(number) && !strings.HasSuffix(number, ".")
	}
	m := plainRelease.FindStringSubmatch(release)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

var plainRelease = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)*)((?:\.[\w+.]*)?)$`)

// followKnob gives the tarball and its directory the names that the macros have with
// the tag.
func (r *renaming) followKnob(f family, src value) {
	name := r.tarball
	dir, suffix, _ := strings.Cut(name, ".tar")
	directory, ok := r.only("`%define "+f.directory+"`", r.spec.definitions(f.directory))
	if !ok {
		return
	}
	if got := "linux-" + r.spec.expand(directory); got != dir {
		r.fault(directory.line, f.directory+" that names "+dir+", as Source0 in "+numbers([]int{src.line}), clip(directory.text))
		return
	}
	newDir := "linux-" + r.tagged().expand(directory)
	if newDir == dir {
		r.fault(directory.line, f.directory+" that follows "+f.knob, clip(directory.text))
		return
	}
	r.dir, r.newDir, r.newTarball = dir, newDir, newDir+".tar"+suffix
	r.renameSource(src, path.Base(name), f.knob)
	r.renames = append(r.renames, Rename{"tarball", name, r.newTarball}, Rename{"directory", dir, newDir})
}

// releaseInMakefile matches the line with which the specs' %build makes uname -r out
// of the release. el9 uses ShortRel, which is %{release} without a suffix of CI.
var releaseInMakefile = regexp.MustCompile(`EXTRAVERSION = .*-(%\{release\}|\$\{ShortRel\})`)

// wantExtraversion reports a fault if uname -r would not follow the release.
func (r *renaming) wantExtraversion(f family) {
	for _, line := range r.spec.lines {
		if releaseInMakefile.MatchString(line) {
			return
		}
	}
	r.fault(0, "a line that puts %{release} into the Makefile's EXTRAVERSION, as in "+f.name, "no such line")
}
