package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind says whether a finding is explained.
type Kind string

// A finding has a known cause, follows from other findings of the pair, or has
// no explanation.
const (
	HasCause Kind = "cause"
	Follows  Kind = "follows"
	NoReason Kind = "unexplained"
)

// Place is where two files differ, from the outside to the inside.
type Place struct {
	// Tag is rpm's name of a header tag, or "signature " and the name of a tag of
	// the signature header.
	Tag  string `json:"tag,omitempty"`
	File string `json:"file,omitempty"`
	// Inside is the way into the file: "unpacked", "section .rodata", "member a.o".
	Inside []string `json:"inside,omitempty"`
	// Field is the part that differs: "cpio mtime", "gzip stamp", "offset 0x40".
	Field string `json:"field,omitempty"`
}

// These begin steps, fields and tags that name one of many.
const (
	member    = "member "
	offset    = "offset "
	signature = "signature "
)

// What a finding shows when one side has something and the other has not.
const (
	exists  = "present"
	missing = "missing"
)

func (p Place) in(step string) Place {
	p.Inside = append(slices.Clip(p.Inside), step)
	return p
}

func (p Place) field(name string) Place {
	p.Field = name
	return p
}

// String returns the place on one line.
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

// part returns the place without the names of files, members and offsets, so that
// the same difference in many files is one finding.
func (p Place) part() string {
	p.File, p.Inside = "", slices.Clone(p.Inside)
	for i, step := range p.Inside {
		if strings.HasPrefix(step, member) {
			p.Inside[i] = "member"
		}
	}
	if strings.HasPrefix(p.Field, offset) {
		p.Field = ""
	}
	if part := p.String(); part != "" {
		return part
	}
	return "content"
}

// Difference is one place and the values of both sides there, cut to what fits on
// a line.
type Difference struct {
	Place
	A string `json:"a"`
	B string `json:"b"`
}

// Finding is one kind of difference, at one place or at many.
type Finding struct {
	Kind  Kind   `json:"kind"`
	Cause *Cause `json:"cause,omitempty"` // only of HasCause
	// What is the part that differs, without the file: "header tag BUILDTIME",
	// "cpio mtime", "section .note.gnu.build-id".
	What string `json:"what"`
	// From says what a finding of kind Follows follows from.
	From string `json:"from,omitempty"`
	// Count is how many places differ; At holds the first 8 of them.
	Count int          `json:"count"`
	At    []Difference `json:"at"`
}

// examples is how many places a finding names at most.
const examples = 8

// list collects findings, in the order in which they were first made.
type list struct {
	all   []*Finding
	index map[string]*Finding // by everything but the places
}

func (l *list) cause(c *Cause, p Place, a, b string) {
	l.add(Finding{Kind: HasCause, Cause: c}, p, a, b)
}

func (l *list) follows(from string, p Place, a, b string) {
	l.add(Finding{Kind: Follows, From: from}, p, a, b)
}

func (l *list) unexplained(p Place, a, b string) { l.add(Finding{Kind: NoReason}, p, a, b) }

// order records that two lists of the same names have different orders.
func (l *list) order(p Place, a, b []string) {
	for i := range a {
		if a[i] != b[i] {
			l.cause(order, p, a[i], b[i])
			return
		}
	}
}

// size returns how many differences were recorded.
func (l *list) size() (n int) {
	for _, f := range l.all {
		n += f.Count
	}
	return n
}

func (l *list) add(f Finding, p Place, a, b string) {
	f.What = p.part()
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

// mark returns the state of the list, for reset.
func (l *list) mark() map[*Finding]Finding {
	all := map[*Finding]Finding{}
	for _, f := range l.all {
		all[f] = *f
	}
	return all
}

// reset takes back all findings that were made since mark.
func (l *list) reset(to map[*Finding]Finding) {
	for _, f := range l.all {
		*f = to[f] // zero if it is new
	}
	l.all = slices.DeleteFunc(l.all, func(f *Finding) bool { return f.Count == 0 })
	maps.DeleteFunc(l.index, func(_ string, f *Finding) bool { return f.Count == 0 })
}

// findings returns the findings: first those without an explanation, then those
// with a cause, then those that follow.
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

// verdict returns the verdict on all findings. Findings that follow do not
// explain themselves: without any other finding the verdict is Unexplained.
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

// legible returns a value on one line, cut to 96 characters.
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
