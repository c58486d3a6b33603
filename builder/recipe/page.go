package recipe

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// page is a recipe while it is read; it gathers the faults.
type page struct {
	file   string
	beside fs.FS // the recipe's folder; nil: not known
	room   int64 // bytes that files from there may still have
	faults Faults
	more   int // faults beyond MaxFaults
}

// fault notes what is wrong at a node.
func (p *page) fault(at *yaml.Node, format string, args ...any) {
	if len(p.faults) == MaxFaults {
		p.more++
		return
	}
	p.faults = append(p.faults, Fault{
		File: p.file, Line: max(1, at.Line), Column: max(1, at.Column), Message: fmt.Sprintf(format, args...),
	})
}

// sorted are the faults in the order of the page.
func (p *page) sorted() Faults {
	all := slices.Clone(p.faults)
	slices.SortStableFunc(all, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if p.more > 0 {
		last := all[len(all)-1]
		last.Message = fmt.Sprintf("%d more faults are not told", p.more)
		all = append(all, last)
	}
	return all
}

// entry is one key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// mapping is a checked mapping: its keys are known and stand once.
type mapping struct {
	at      *yaml.Node
	entries map[string]entry
}

func (m mapping) has(key string) bool { _, ok := m.entries[key]; return ok }

// mapping reads n as a mapping of known keys; what names it in a fault.
func (p *page) mapping(n *yaml.Node, what string, known ...string) mapping {
	m := mapping{at: n, entries: map[string]entry{}}
	for _, e := range p.entries(n, what) {
		key := e.key.Value
		switch first, twice := m.entries[key]; {
		case !slices.Contains(known, key):
			p.unknown(e.key, known)
		case twice:
			p.fault(e.key, "key %q stands twice: expected once, the first is in line %d", key, first.key.Line)
		default:
			m.entries[key] = e
		}
	}
	return m
}

// unknown notes a key that is not one of known.
func (p *page) unknown(key *yaml.Node, known []string) {
	if n := nearest(key.Value, known); n != "" {
		p.fault(key, "unknown key %s: did you mean %q?", quote(key.Value), n)
		return
	}
	p.fault(key, "unknown key %s: expected one of %s", quote(key.Value), strings.Join(known, ", "))
}

// entries are the keys and values of a mapping in the page's order.
func (p *page) entries(n *yaml.Node, what string) []entry {
	if unreadable(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		p.fault(n, "%s is %s: expected keys and values", what, kind(n))
		return nil
	}
	var all []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			p.fault(key, "a key of %s is %s: expected a word", what, kind(key))
			continue
		}
		all = append(all, entry{key, value})
	}
	return all
}

// list are the values of a list; a key that is not there is an empty list.
func (p *page) list(m mapping, key string) []*yaml.Node {
	e, ok := m.entries[key]
	if !ok || unreadable(e.value) {
		return nil
	}
	if e.value.Kind != yaml.SequenceNode {
		p.fault(e.value, "%s is %s: expected a list", key, kind(e.value))
		return nil
	}
	return e.value.Content
}

// text is the checked text of a key, empty when it is not there.
func (p *page) text(m mapping, key string, expect func(string) string) string {
	e, ok := m.entries[key]
	if !ok {
		return ""
	}
	s, _ := p.scalar(e.value, key, expect)
	return s
}

// scalar is the text of a node. expect says what was expected, or nothing
// when the text is that; false: a fault is noted and the text is empty.
func (p *page) scalar(n *yaml.Node, what string, expect func(string) string) (string, bool) {
	switch {
	case unreadable(n):
		return "", false
	case n.Kind == yaml.ScalarNode && number(n):
		p.fault(n, `%s is %s (%s): expected a text, quote it: "%s"`, what, kind(n), clip(n.Value), clip(n.Value))
		return "", false
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str":
		p.fault(n, "%s is %s: expected a text", what, kind(n))
		return "", false
	}
	if want := expect(n.Value); want != "" {
		p.fault(n, "%s %s: expected %s", what, quote(n.Value), want)
		return "", false
	}
	return n.Value, true
}

// whole is the whole number of a key, at least least; other when it is not there.
func (p *page) whole(m mapping, key string, least, other int) int {
	e, ok := m.entries[key]
	if !ok || unreadable(e.value) {
		return other
	}
	var value int
	n := e.value
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Load(&value) != nil {
		p.fault(n, "%s is %s: expected a whole number, %d or more", key, kind(n), least)
		return other
	}
	if value < least {
		p.fault(n, "%s is %d: expected %d or more", key, value, least)
		return other
	}
	return value
}

// need notes which of these keys a mapping lacks.
func (p *page) need(m mapping, what string, keys ...string) {
	if m.at.Kind != yaml.MappingNode {
		return
	}
	for _, key := range keys {
		if !m.has(key) {
			p.fault(m.at, "%s has no %s: expected the key %q", what, key, key)
		}
	}
}

// references notes every anchor and alias: a recipe says what it says in place.
func (p *page) references(n *yaml.Node) {
	if n.Anchor != "" {
		p.fault(n, "anchor &%s: expected none, a recipe has no anchors and aliases", clip(n.Anchor))
	}
	if n.Kind == yaml.AliasNode {
		p.fault(n, "alias *%s: expected the text itself, a recipe has no anchors and aliases", clip(n.Value))
	}
	for _, c := range n.Content {
		p.references(c)
	}
}

// unreadable says that a fault is already noted for this node: it is no YAML
// or an alias.
func unreadable(n *yaml.Node) bool { return n.Kind == 0 || n.Kind == yaml.AliasNode }

// number says that YAML takes a plain word for something that is no text but
// would be one in quotes.
func number(n *yaml.Node) bool {
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!timestamp":
		return n.Style&yaml.TaggedStyle == 0
	}
	return false
}

// kind is what a node is, in the words of a fault.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	names := map[string]string{
		"!!str": "a text", "!!int": "a number", "!!float": "a number", "!!bool": "true or false", "!!timestamp": "a date", "!!null": "empty",
	}
	if name, ok := names[n.ShortTag()]; ok {
		return name
	}
	return "tagged " + clip(n.ShortTag())
}

// quote is s in quotes, clip is s alone, both cut to what fits in a line.
func quote(s string) string { return fmt.Sprintf("%q", clip(s)) }

func clip(s string) string {
	const most = 60
	if r := []rune(s[:min(len(s), 4*most+4)]); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
