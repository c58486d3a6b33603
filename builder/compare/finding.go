package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind tells what is known about a finding.
type Kind string

// A finding has a cause, follows from other findings of the pair, or is left
// without an explanation.
const (
	HasCause Kind = "cause"
	Follows  Kind = "follows"
	NoReason Kind = "unexplained"
)

// Place is where two packages differ, from the outside to the inside.
type Place struct {
	// Tag is a tag of the header by rpm's name, or "signature " and one of the
	// signature header.
	Tag  string `json:"tag,omitempty"`
	File string `json:"file,omitempty"`
	// Inside leads into the file: "gunzipped", "section .rodata", "member a.o".
	Inside []string `json:"inside,omitempty"`
	// Field is the part that differs: "cpio mtime", "gzip stamp", "offset 0x40".
	Field string `json:"field,omitempty"`
}

// Steps, fields and tags that name one of many begin with these.
const (
	member    = "member "
	offset    = "offset "
	signature = "signature "
)

func (p Place) in(step string) Place {
	p.Inside = append(slices.Clip(p.Inside), step)
	return p
}

func (p Place) field(name string) Place {
	p.Field = name
	return p
}

// String is the place on one line.
func (p Place) String() string {
	var parts []string
	if tag, ok := strings.CutPrefix(p.Tag, signature); ok {
		parts = append(parts, "signature header tag "+tag)
	} else if p.Tag != "" {
		parts = append(parts, "header tag "+p.Tag)
	}
	parts = append(parts, slices.DeleteFunc(append([]string{p.File}, p.Inside...), func(s string) bool { return s == "" })...)
	if p.Field != "" {
		parts = append(parts, p.Field)
	}
	return strings.Join(parts, ": ")
}

// what is the place without what has a name of its own: findings of many files
// are one.
func (p Place) what() string {
	p.File, p.Inside = "", slices.Clone(p.Inside)
	for i, step := range p.Inside {
		if strings.HasPrefix(step, member) {
			p.Inside[i] = "member"
		}
	}
	if strings.HasPrefix(p.Field, offset) {
		p.Field = ""
	}
	if what := p.String(); what != "" {
		return what
	}
	return "content"
}

// Difference is one place with what both sides have there, in a form for people.
type Difference struct {
	Place
	A string `json:"a"`
	B string `json:"b"`
}

// Finding is what differs in one way, in one place or in many.
type Finding struct {
	Kind  Kind   `json:"kind"`
	Cause *Cause `json:"cause,omitempty"` // of HasCause
	// What is the part that differs, whatever the file: "header tag BUILDTIME",
	// "cpio mtime", "section .note.gnu.build-id".
	What string `json:"what"`
	// From says what a finding that follows follows from.
	From  string `json:"from,omitempty"`
	Count int    `json:"count"`
	// At are the first of the places.
	At []Difference `json:"at"`
}

// examples bounds the places that a finding names.
const examples = 8

// list collects findings.
type list struct {
	all   []*Finding
	index map[string]*Finding
}

func (l *list) cause(c *Cause, p Place, a, b string) {
	l.add(Finding{Kind: HasCause, Cause: c}, p, a, b)
}

func (l *list) follows(from string, p Place, a, b string) {
	l.add(Finding{Kind: Follows, From: from}, p, a, b)
}

func (l *list) unexplained(p Place, a, b string) { l.add(Finding{Kind: NoReason}, p, a, b) }

// order records that two lists of the same names stand in another order.
func (l *list) order(p Place, a, b []string) {
	for i := range a {
		if a[i] != b[i] {
			l.cause(order, p, a[i], b[i])
			return
		}
	}
}

// size counts the differences.
func (l *list) size() (n int) {
	for _, f := range l.all {
		n += f.Count
	}
	return n
}

func (l *list) add(f Finding, p Place, a, b string) {
	f.What = p.what()
	key := fmt.Sprintf("%s %p %s %s", f.Kind, f.Cause, f.From, f.What)
	old, ok := l.index[key]
	if !ok {
		old = &f
		if l.index == nil {
			l.index = map[string]*Finding{}
		}
		l.all, l.index[key] = append(l.all, old), old
	}
	old.Count++
	if len(old.At) < examples {
		old.At = append(old.At, Difference{p, legible(a), legible(b)})
	}
}

// mark and reset take findings back that were made in between.
func (l *list) mark() map[*Finding]Finding {
	all := map[*Finding]Finding{}
	for _, f := range l.all {
		all[f] = *f
	}
	return all
}

func (l *list) reset(to map[*Finding]Finding) {
	for _, f := range l.all {
		*f = to[f] // zero: was not there
	}
	l.all = slices.DeleteFunc(l.all, func(f *Finding) bool { return f.Count == 0 })
	maps.DeleteFunc(l.index, func(_ string, f *Finding) bool { return f.Count == 0 })
}

// findings are those without an explanation first, then causes, then what follows.
func (l *list) findings() []Finding {
	var all []Finding
	for _, k := range []Kind{NoReason, HasCause, Follows} {
		for _, f := range l.all {
			if f.Kind == k {
				all = append(all, *f)
			}
		}
	}
	return all
}

// verdict: what follows needs something that it follows from.
func (l *list) verdict() Verdict {
	v := Identical
	for _, f := range l.all {
		switch f.Kind {
		case NoReason:
			return Unexplained
		case HasCause:
			v = Explained
		}
	}
	if v == Identical && len(l.all) > 0 {
		return Unexplained
	}
	return v
}

// legible is a value on one line, cut to what a line holds.
func legible(s string) string {
	const most = 96
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return '·'
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most-1]) + "…"
	}
	return s
}
