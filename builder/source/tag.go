package source

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"namibuild/builder/rpm"
)

// renaming is what a tag changes in the names of one SRPM. For a spec that does not
// fit, it has what could be found out.
type renaming struct {
	spec         spec // that of the SRPM, or, if the tag fits, with the new values
	news         []newValue
	tarball      string // the file of the SRPM that Source0 names, or empty
	newTarball   string
	dir, newDir  string // top directory of the tree; empty if any will do, and if it stays
	extraversion string // for the tree's Makefile; empty if that stays
	distro, kver value  // line is 0 if it was not found, or cannot be used
	renames      []Rename
	warnings     []string
	faults       []Fault
}

// newValue is a setting with its new text.
type newValue struct {
	value
	next string
}

func (r *renaming) set(v value, next string) { r.news = append(r.news, newValue{v, next}) }

// tagged returns the spec with the new values that are known so far.
func (r *renaming) tagged() spec {
	s := r.spec
	for _, n := range r.news {
		s = s.with(n.value, n.next)
	}
	return s
}

// noTag finds the tarball of an SRPM, and changes no name.
func noTag(s spec, files []string) renaming {
	r := renaming{spec: s}
	src, ok := r.only("Source0 that names the kernel tarball", s.sources())
	if ok {
		r.findTarball(src, files)
		r.newTarball = r.tarball
	}
	return r
}

// retag finds out what a tag changes in the spec's family: all of its names, or
// nothing. In the specs of el6 these are distro_build, kversion, Source0, tarball,
// directory and EXTRAVERSION.
func retag(s spec, tag string, files []string, release string) renaming {
	r := renaming{spec: s}
	if !literal(tag) || strings.ContainsAny(tag, "-/") {
		r.fault(0, "a tag of letters, digits, \"_\", \"+\" and dots", clip(tag))
		return r
	}
	if f, ok := familyOf(s); ok {
		r.tagRelease(f, tag, files, release)
	} else if !isEL6(s) {
		r.fault(0, wantFamily, "none of the macros that these have")
	} else {
		r.extraversion = "-" + tag // set first, so that the Makefile is checked even if the spec has faults
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

// only returns the single value of found. Without one, or with several, it reports a
// fault.
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

// knob returns the definition of a macro. If a spec has several, the one that is
// plain text is used: early el6 specs define distro_build by another macro in the
// branch for Fedora (%else %define distro_build %{fedora_build}).
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

// tagVersion puts the tag behind build in a version such as 2.6.32-431.3.1.el6, and
// also returns the part before the dash. The version must have build once, as a
// complete part.
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

// renameSource edits a Source0 that spells out the name. One that is made of macros
// changes with them, and stays as it is.
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

// findTarball finds the file of the SRPM that Source0 names.
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
		found = "that the SRPM leaves it out (NoSource); set tarball: in the recipe's source:"
	case len(tarballs) > 0:
		found = strings.Join(tarballs[:min(len(tarballs), 5)], ", ")
	}
	r.fault(src.line, "the file of Source0 in the SRPM, "+clip(name), found)
}

// warnOlder compares the release with the tag to that of the SRPM.
func (r *renaming) warnOlder(tag, release string) {
	build := r.distro.text
	rest, ok := strings.CutPrefix(release, build)
	if !ok || rest != "" && rest[0] != '.' { // Release is not made of distro_build: take the rest from kversion
		_, rest, _ = strings.Cut(r.kver.text, "-"+build)
		release = build + rest
	}
	r.warnIfOlder(tag, build+"."+tag+rest, release)
}

// warnIfOlder adds a warning if rpm would take the tagged release for an older one.
func (r *renaming) warnIfOlder(tag, tagged, release string) {
	if rpm.CompareVersions(tagged, release) < 0 {
		r.warnings = append(r.warnings, fmt.Sprintf(
			"tag %s makes the packages older than stock: to rpm, release %s sorts before %s", tag, tagged, release))
	}
}
