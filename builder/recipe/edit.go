package recipe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// places are the values of `in:`. The tree is the default.
var places = []string{"tree", "spec", "sources"}

func (p *page) edits(in mapping) []Edit {
	var all []Edit
	lines := map[Edit]int{}
	for _, n := range p.list(in, "edits") {
		e := p.edit(n)
		same := Edit{In: e.In, File: e.File, Find: e.Find, Regexp: e.Regexp}
		complete := (e.File != "" || e.In == InSpec) && e.Find+e.Regexp != ""
		if first, twice := lines[same]; twice && complete {
			p.fault(n, "the same edit as in line %d: must have another file, find or regexp", first)
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
	p.checkSearch(m)
	p.require(m, "an edit", "replace")
	e.Find, e.Regexp = p.text(m, "find", isSomething), p.text(m, "regexp", isRegexp)
	e.Replace, e.Times = p.text(m, "replace", isAnything), p.integer(m, "times", 1, 1)
	if e.Find != "" && e.Find == e.Replace && m.has("replace") {
		p.fault(m.entries["replace"].value, "replace must differ from find")
	}
	if wrong := templateFault(e.Replace, e.Regexp); e.Regexp != "" && wrong != "" {
		p.fault(m.entries["replace"].value, "replace is %s: %s", quote(e.Replace), wrong)
	}
	return e
}

// place returns where an edit is made. A wrong value counts as the tree.
func (p *page) place(m mapping) Place {
	in := Place(p.text(m, "in", isPlace))
	if in == "tree" {
		return InTree
	}
	return in
}

// editFile returns the file of an edit, which is "" for the spec.
func (p *page) editFile(m mapping, in Place) string {
	switch in {
	case InSpec:
		if e, ok := m.entries["file"]; ok {
			p.fault(e.key, "file must not be set with in: spec: an SRPM has one spec")
		}
		return ""
	case InSources:
		p.require(m, "an edit", "file")
		return p.text(m, "file", isSourceFile)
	}
	p.require(m, "an edit", "file")
	return p.text(m, "file", isTreeFile)
}

// checkSearch reports a fault unless an edit has exactly one of find and regexp.
func (p *page) checkSearch(m mapping) {
	switch find, re := m.has("find"), m.has("regexp"); {
	case m.at.Kind != yaml.MappingNode:
	case find && re:
		p.fault(m.entries["regexp"].key, "an edit must have only one of find and regexp")
	case !m.meansTo("find") && !m.meansTo("regexp"):
		p.fault(m.at, "an edit must have find or regexp")
	}
}

func isPlace(s string) string {
	want := "one of " + strings.Join(places, ", ")
	if n := nearest(s, places); n != "" {
		want += "; did you mean " + n + "?"
	}
	return unless(slices.Contains(places, s), want)
}

// isRegexp accepts expressions that match at least one character.
func isRegexp(s string) string {
	re, err := regexp.Compile(s) // without (?m): ^ and $ match the empty text in both modes
	if err != nil {
		return "a regular expression in Go's syntax (RE2): " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	return unless(!re.MatchString(""), "an expression that does not match the empty text")
}

// reference matches what regexp.Expand takes for a reference to a group, or for an
// escaped dollar.
var reference = regexp.MustCompile(`\$\$|\$\{([\pL\p{Nd}_]+)\}|\$([\pL\p{Nd}_]+)`)

// templateFault says what is wrong with a replacement that refers to a group which
// the expression does not have. Expand would replace it by nothing. It returns ""
// if the replacement is right.
func templateFault(s, expression string) string {
	re, err := regexp.Compile("(?m)" + expression)
	if err != nil {
		return ""
	}
	for _, m := range reference.FindAllStringSubmatch(s, -1) {
		name := m[1] + m[2]
		if name == "" || hasGroup(re, name) {
			continue
		}
		return fmt.Sprintf("the regexp has no group %s; write $$ for a dollar, and ${1} in front of text", quote(name))
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
