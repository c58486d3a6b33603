package recipe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// places are what `in:` takes; the tree is what it is without.
var places = []string{"tree", "spec", "sources"}

func (p *page) edits(in mapping) []Edit {
	var all []Edit
	lines := map[Edit]int{}
	for _, n := range p.list(in, "edits") {
		e := p.edit(n)
		same := Edit{In: e.In, File: e.File, Find: e.Find, Regexp: e.Regexp}
		whole := (e.File != "" || e.In == InSpec) && e.Find+e.Regexp != ""
		if first, twice := lines[same]; twice && whole {
			p.fault(n, "the edit of line %d again: expected another file or another find", first)
		} else {
			lines[same] = n.Line
		}
		all = append(all, e)
	}
	return all
}

func (p *page) edit(n *yaml.Node) Edit {
	m := p.mapping(n, "an edit", editKeys...)
	e := Edit{In: p.place(m)}
	e.File = p.editFile(m, e.In)
	p.either(m)
	p.need(m, "an edit", "replace")
	e.Find, e.Regexp = p.text(m, "find", isSomething), p.text(m, "regexp", isRegexp)
	e.Replace, e.Times = p.text(m, "replace", isAnything), p.whole(m, "times", 1, 1)
	if e.Find != "" && e.Find == e.Replace && m.has("replace") {
		p.fault(m.entries["replace"].value, "replace is the same as find: expected another text")
	}
	if want := isTemplate(e.Replace, e.Regexp); e.Regexp != "" && want != "" {
		p.fault(m.entries["replace"].value, "replace is %s: expected %s", quote(e.Replace), want)
	}
	return e
}

// place is where an edit is made; a faulty one counts as the tree.
func (p *page) place(m mapping) Place {
	in := Place(p.text(m, "in", isPlace))
	if in == "tree" {
		return InTree
	}
	return in
}

// editFile is the file of an edit; the spec needs no name.
func (p *page) editFile(m mapping, in Place) string {
	switch in {
	case InSpec:
		if e, ok := m.entries["file"]; ok {
			p.fault(e.key, "file beside in: spec: expected none, an SRPM has one spec")
		}
		return ""
	case InSources:
		p.need(m, "an edit", "file")
		return p.text(m, "file", isSourceFile)
	}
	p.need(m, "an edit", "file")
	return p.text(m, "file", isTreeFile)
}

// either notes an edit that does not look for exactly one thing.
func (p *page) either(m mapping) {
	switch find, re := m.has("find"), m.has("regexp"); {
	case m.at.Kind != yaml.MappingNode:
	case find && re:
		p.fault(m.entries["regexp"].key, "regexp beside find: expected one of them")
	case !find && !re:
		p.fault(m.at, "an edit has no find and no regexp: expected one of them")
	}
}

func isPlace(s string) string {
	want := "one of " + strings.Join(places, ", ")
	if n := nearest(s, places); n != "" {
		want += "; did you mean " + n + "?"
	}
	return unless(slices.Contains(places, s), want)
}

// isRegexp is an expression that needs at least one character.
func isRegexp(s string) string {
	re, err := regexp.Compile(s) // ^ and $ match the empty text in either mode
	if err != nil {
		return "a regular expression as Go has them (RE2): " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	return unless(!re.MatchString(""), "an expression that does not match the empty text")
}

// reference is what regexp.Expand takes for a group's name, or two dollars.
var reference = regexp.MustCompile(`\$\$|\$\{([\pL\p{Nd}_]+)\}|\$([\pL\p{Nd}_]+)`)

// isTemplate holds that every group that a replacement names is there: Expand
// takes one that is not for an empty text.
func isTemplate(s, expression string) string {
	re, err := regexp.Compile("(?m)" + expression)
	if err != nil {
		return ""
	}
	for _, m := range reference.FindAllStringSubmatch(s, -1) {
		name := m[1] + m[2]
		if name == "" || hasGroup(re, name) {
			continue
		}
		return fmt.Sprintf("groups of the regexp, it has no group %s; a dollar is $$, text goes on behind ${1}", quote(name))
	}
	return ""
}

func hasGroup(re *regexp.Regexp, name string) bool {
	if strings.Trim(name, "0123456789") == "" {
		for n := range re.NumSubexp() + 1 {
			if name == fmt.Sprint(n) {
				return true
			}
		}
		return false
	}
	return re.SubexpIndex(name) >= 0
}
