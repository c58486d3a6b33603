package recipe

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// page is a page of YAML while it is being read. It collects the faults.
type page struct {
	file      string
	beside    fs.FS // the recipe's folder, or nil if it is not known
	remaining int64 // bytes that further files of that folder may have
	faults    Faults
	more      int // faults beyond MaxFaults
}

// fault adds what is wrong at a node.
func (p *page) fault(at *yaml.Node, format string, args ...any) {
	if len(p.faults) == MaxFaults {
		p.more++
		return
	}
	p.faults = append(p.faults, Fault{
		File: p.file, Line: max(1, at.Line), Column: max(1, at.Column), Message: fmt.Sprintf(format, args...),
	})
}

// sorted returns the faults in the order of the page.
func (p *page) sorted() Faults {
	all := slices.Clone(p.faults)
	slices.SortStableFunc(all, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if p.more > 0 {
		last := all[len(all)-1]
		last.Message = fmt.Sprintf("%d more faults are not listed", p.more)
		all = append(all, last)
	}
	return all
}

// entry is one key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// mapping is a checked mapping: it has known keys only, each of them once.
type mapping struct {
	at      *yaml.Node
	entries map[string]entry
	meant   []string // the known keys that unknown ones were probably meant to be
}

func (m mapping) has(key string) bool { _, ok := m.entries[key]; return ok }

// meansTo reports whether a mapping has a key, or an unknown one that was probably meant
// to be that key. A mistyped key is one fault, and not a missing key too.
func (m mapping) meansTo(key string) bool { return m.has(key) || slices.Contains(m.meant, key) }

// mapping reads n as a mapping with known keys. A fault calls it what.
func (p *page) mapping(n *yaml.Node, what string, known ...string) mapping {
	m := mapping{at: n, entries: map[string]entry{}}
	for _, e := range p.entries(n, what) {
		key := e.key.Value
		switch first, twice := m.entries[key]; {
		case !slices.Contains(known, key):
			m.meant = append(m.meant, p.unknown(e.key, known))
		case twice:
			p.fault(e.key, "key %q is set twice, first in line %d", key, first.key.Line)
		default:
			m.entries[key] = e
		}
	}
	return m
}

// unknown reports a key that is not one of known. It returns the one that was probably
// meant, or "".
func (p *page) unknown(key *yaml.Node, known []string) string {
	n := nearest(key.Value, known)
	if n != "" {
		p.fault(key, "unknown key %s: did you mean %q?", quote(key.Value), n)
	} else {
		p.fault(key, "unknown key %s: must be one of %s", quote(key.Value), strings.Join(known, ", "))
	}
	return n
}

// examples show how mappings are written in one line, by the names that faults call them.
var examples = map[string]string{
	"source":            ", such as {url: URL, sha256: DIGEST}",
	"tarball":           ", such as {url: URL, sha256: DIGEST}",
	"config":            ", such as {NET_9P: m}",
	"a patch":           ", such as {file: FILE}",
	"a file of sources": ", such as {file: FILE}",
	"an edit":           ", such as {file: FILE, find: TEXT, replace: TEXT}",
	"rpmbuild":          ", such as {with: [firmware]}",
	"define":            ", such as {NAME: VALUE}",
	"proof":             ", such as {time-wait: 5}",
}

// entries returns the keys and values of a mapping, in the page's order.
func (p *page) entries(n *yaml.Node, what string) []entry {
	if unreadable(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		p.fault(n, "%s is %s: must be keys and values%s", what, describe(n), examples[what])
		return nil
	}
	var all []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			p.fault(key, "a key of %s is %s: must be a word", what, describe(key))
			continue
		}
		all = append(all, entry{key, value})
	}
	return all
}

// list returns the values of a list. It returns none if the key is missing.
func (p *page) list(m mapping, key string) []*yaml.Node {
	e, ok := m.entries[key]
	if !ok || unreadable(e.value) {
		return nil
	}
	if e.value.Kind != yaml.SequenceNode {
		p.fault(e.value, "%s is %s: must be a list", key, describe(e.value))
		return nil
	}
	return e.value.Content
}

// text returns the checked text of a key, or "" if the key is missing.
func (p *page) text(m mapping, key string, check func(string) string) string {
	e, ok := m.entries[key]
	if !ok {
		return ""
	}
	s, _ := p.scalar(e.value, key, check)
	return s
}

// scalar returns the text of a node. check returns what the text must be, or "" if
// it is right. If ok is false, a fault is reported and the text is empty.
func (p *page) scalar(n *yaml.Node, what string, check func(string) string) (text string, ok bool) {
	switch {
	case unreadable(n):
		return "", false
	case n.Kind == yaml.ScalarNode && needsQuotes(n):
		p.fault(n, `%s is %s (%s): must be text; put it in quotes: "%s"`, what, describe(n), clip(n.Value), clip(n.Value))
		return "", false
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str":
		p.fault(n, "%s is %s: must be text", what, describe(n))
		return "", false
	}
	if want := check(n.Value); want != "" {
		p.fault(n, "%s %s: must be %s", what, quote(n.Value), want)
		return "", false
	}
	return n.Value, true
}

// integer returns the value of a key, which must be least or more. It returns
// missing if the key is missing or wrong.
func (p *page) integer(m mapping, key string, least, missing int) int {
	e, ok := m.entries[key]
	if !ok || unreadable(e.value) {
		return missing
	}
	var value int
	n := e.value
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Load(&value) != nil {
		p.fault(n, "%s is %s: must be a whole number, %d or more", key, describe(n), least)
		return missing
	}
	if value < least {
		p.fault(n, "%s is %d: must be %d or more", key, value, least)
		return missing
	}
	return value
}

// require reports each of the keys that a mapping lacks.
func (p *page) require(m mapping, what string, keys ...string) {
	if m.at.Kind != yaml.MappingNode {
		return
	}
	for _, key := range keys {
		if !m.meansTo(key) {
			p.fault(m.at, "%s must have the key %q", what, key)
		}
	}
}

// references reports every anchor and alias, so that a page can be read from top
// to bottom, and cannot grow when it is expanded.
func (p *page) references(n *yaml.Node) {
	if n.Anchor != "" {
		p.fault(n, "anchor &%s: a recipe must not have anchors", clip(n.Anchor))
	}
	if n.Kind == yaml.AliasNode {
		p.fault(n, "alias *%s: must be the text itself; a recipe must not have aliases", clip(n.Value))
	}
	for _, c := range n.Content {
		p.references(c)
	}
}

// unreadable tells whether a fault has been reported for a node already, because
// it is not YAML or is an alias.
func unreadable(n *yaml.Node) bool { return n.Kind == 0 || n.Kind == yaml.AliasNode }

// needsQuotes tells whether YAML takes a plain word for something other than text,
// so that quotes would make it text.
func needsQuotes(n *yaml.Node) bool {
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!timestamp":
		return n.Style&yaml.TaggedStyle == 0
	}
	return false
}

// describe returns what a node is, in the words of a fault.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	names := map[string]string{
		"!!str": "text", "!!int": "a number", "!!float": "a number", "!!bool": "true or false", "!!timestamp": "a date", "!!null": "empty",
	}
	if name, ok := names[n.ShortTag()]; ok {
		return name
	}
	return "tagged " + clip(n.ShortTag())
}

// quote returns s in quotes, cut to what fits in a line.
func quote(s string) string { return fmt.Sprintf("%q", clip(s)) }

// clip returns s, cut to what fits in a line.
func clip(s string) string {
	const most = 60
	if r := []rune(s[:min(len(s), 4*most+4)]); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
