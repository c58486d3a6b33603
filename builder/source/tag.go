package source

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"namibuild/builder/rpm"
)

// renaming is what a tag does, worked out from one spec. Of a spec that does
// not fit, it holds what could be found out.
type renaming struct {
	spec         spec // as it was, or, of a spec that fits, with the new values
	news         []newValue
	tarball      string // the SRPM's file that Source0 names; empty: none
	newTarball   string
	dir, newDir  string // top directory of the tree; empty: any, kept
	extraversion string // for the tree's Makefile; empty: left alone
	distro, kver value  // line 0: not found, or nothing to work with
	renames      []Rename
	warnings     []string
	faults       []Fault
}

// newValue is what a setting becomes.
type newValue struct {
	value
	next string
}

func (r *renaming) set(v value, next string) { r.news = append(r.news, newValue{v, next}) }

// tagged is the spec with the new values that are known so far.
func (r *renaming) tagged() spec {
	s := r.spec
	for _, n := range r.news {
		s = s.with(n.value, n.next)
	}
	return s
}

// noTag finds the tarball of an SRPM whose names stay.
func noTag(s spec, files []string) renaming {
	r := renaming{spec: s}
	src, ok := r.only("Source0 that names the kernel tarball", s.sources())
	if ok {
		r.findTarball(src, files)
		r.newTarball = r.tarball
	}
	return r
}

// retag works out what the spec's family renames, all or nothing; without a
// family of another kind it is the procedure's renaming: distro_build, kversion,
// Source0, tarball, directory and EXTRAVERSION.
func retag(s spec, tag string, files []string, release string) renaming {
	r := renaming{spec: s}
	if !literal(tag) || strings.ContainsAny(tag, "-/") {
		r.fault(0, "a tag of letters, digits and dots", clip(tag))
		return r
	}
	if f, ok := familyOf(s); ok {
		r.tagRelease(f, tag, files, release)
	} else {
		r.extraversion = "-" + tag // of a spec with faults the Makefile is judged as well
		r.tagDistroBuild(tag)
		r.tagKversion(tag)
		r.tagSource(files)
	}
	if len(r.faults) > 0 {
		return r
	}
	if r.distro.line > 0 {
		r.warnOlder(tag, release)
	}
	r.spec = r.tagged()
	return r
}

func (r *renaming) fault(line int, want, found string) {
	r.faults = append(r.faults, Fault{File: r.spec.name, Line: line, Want: want, Found: found})
}

// only is the single value of found; none or several are a fault.
func (r *renaming) only(want string, found []value) (value, bool) {
	if len(found) == 1 {
		return found[0], true
	}
	got := "no such line"
	if len(found) > 1 {
		lines := make([]int, len(found))
		for i, v := range found {
			lines[i] = v.line
		}
		got = fmt.Sprintf("%d: %s", len(found), numbers(lines))
	}
	r.fault(0, "one line "+want, got)
	return value{}, false
}

// knob is the one definition of a macro. A spec may define it by another macro
// beside that, in a branch for another distribution, as early el6 specs do
// (%if %{rhel} … %else %define distro_build %{fedora_build}): the plain one counts.
func (r *renaming) knob(name string) (value, bool) {
	found := r.spec.definitions(name)
	plain := slices.DeleteFunc(slices.Clone(found), func(v value) bool { return !literal(v.text) })
	if len(plain) == 1 {
		return plain[0], true
	}
	return r.only("`%define "+name+"`", found)
}

func (r *renaming) tagDistroBuild(tag string) {
	v, ok := r.knob("distro_build")
	if !ok {
		return
	}
	if !literal(v.text) {
		r.fault(v.line, "distro_build as a plain number", clip(v.text))
		return
	}
	r.distro = v
	r.set(v, v.text+"."+tag)
	r.renames = append(r.renames, Rename{"distro_build", v.text, v.text + "." + tag})
}

func (r *renaming) tagKversion(tag string) {
	v, ok := r.knob("kversion")
	if !ok {
		return
	}
	if !literal(v.text) || strings.Contains(v.text, "/") {
		r.fault(v.line, "kversion as a plain version", clip(v.text))
		return
	}
	r.kver = v
	r.dir = "linux-" + v.text
	if r.distro.line == 0 {
		return
	}
	base, next, ok := tagVersion(v.text, r.distro.text, tag)
	if !ok {
		r.fault(v.line, fmt.Sprintf("kversion with `-%s` in it once, the distro_build of line %d",
			r.distro.text, r.distro.line), clip(v.text))
		return
	}
	r.newDir = "linux-" + next
	r.extraversion = next[len(base):]
	r.set(v, next)
	r.renames = append(r.renames, Rename{"kversion", v.text, next})
}

// tagVersion puts the tag behind build in a version like 2.6.32-431.3.1.el6,
// and tells the part before the dash. build must stand there once, whole.
func tagVersion(kversion, build, tag string) (base, next string, ok bool) {
	knob := "-" + build
	found := 0
	for i := 0; i+len(knob) <= len(kversion); i++ {
		rest, is := strings.CutPrefix(kversion[i:], knob)
		if is && (rest == "" || rest[0] == '.') {
			found++
			base, next = kversion[:i], kversion[:i]+knob+"."+tag+rest
		}
	}
	return base, next, found == 1
}

func (r *renaming) tagSource(files []string) {
	src, ok := r.only("`Source0:`", r.spec.sources())
	if !ok {
		return
	}
	r.findTarball(src, files)
	if r.kver.line == 0 {
		return
	}
	name := path.Base(r.spec.expand(src))
	suffix, ok := strings.CutPrefix(name, r.dir+".tar")
	if !ok {
		r.fault(src.line, fmt.Sprintf("Source0 that names %s.tar…, the kversion of line %d",
			r.dir, r.kver.line), clip(src.text))
		return
	}
	if r.newDir == "" || r.tarball == "" {
		return
	}
	r.newTarball = r.newDir + ".tar" + suffix
	r.renameSource(src, name, "kversion")
	r.renames = append(r.renames, Rename{"tarball", name, r.newTarball},
		Rename{"directory", r.dir, r.newDir}, Rename{"EXTRAVERSION", "", r.extraversion})
}

// renameSource edits a Source0 that spells the name out; one that is made of
// macros follows the knob by itself and stays.
func (r *renaming) renameSource(src value, name, knob string) {
	if front, ok := strings.CutSuffix(src.text, name); ok {
		r.set(src, front+r.newTarball)
		r.renames = append(r.renames, Rename{"Source0", src.text, front + r.newTarball})
		return
	}
	if got := path.Base(r.tagged().expand(src)); got != r.newTarball {
		r.fault(src.line, "Source0 that follows "+knob+" to "+r.newTarball, clip(src.text))
	}
}

// findTarball looks among the SRPM's files for the one that Source0 names.
func (r *renaming) findTarball(src value, files []string) {
	name := path.Base(r.spec.expand(src))
	if slices.Contains(files, name) {
		r.tarball = name
		return
	}
	var tarballs []string
	for _, f := range files {
		if strings.Contains(f, ".tar") || strings.HasSuffix(f, ".tgz") {
			tarballs = append(tarballs, f)
		}
	}
	found := "no tarball"
	switch {
	case r.spec.left[name]:
		found = "that it leaves it out (NoSource): source: in the recipe takes a tarball:"
	case len(tarballs) > 0:
		found = strings.Join(tarballs[:min(len(tarballs), 5)], ", ")
	}
	r.fault(src.line, "the file of Source0 in the SRPM, "+clip(name), found)
}

// warnOlder compares the release as the tag makes it with the SRPM's own.
func (r *renaming) warnOlder(tag, release string) {
	build := r.distro.text
	rest, ok := strings.CutPrefix(release, build)
	if !ok || rest != "" && rest[0] != '.' { // Release is put together otherwise: ask kversion
		_, rest, _ = strings.Cut(r.kver.text, "-"+build)
		release = build + rest
	}
	r.warnIfOlder(tag, build+"."+tag+rest, release)
}

func (r *renaming) warnIfOlder(tag, tagged, release string) {
	if rpm.CompareVersions(tagged, release) < 0 {
		r.warnings = append(r.warnings, fmt.Sprintf(
			"tag %s makes the packages older than stock: to rpm, release %s sorts before %s", tag, tagged, release))
	}
}
