package source

import (
	"regexp"
	"strings"
)

// spec is the text of a spec by lines, each with its line end. Bytes that are
// no UTF-8 pass through as they are.
type spec struct {
	name  string
	lines []string
	// tags are what the SRPM's header knows: name, version, release.
	tags map[string]string
	// left are the files that the SRPM names and leaves out.
	left map[string]bool
}

// value is one setting in a spec: the text behind `%define name` or `Source0:`.
type value struct {
	line int // counted from 1
	at   int // where text begins in the line
	text string
}

var (
	definition = regexp.MustCompile(`^[ \t]*%(?:define|global)[ \t]+(\w+)[ \t]+(.*?)[ \t\r\n]*$`)
	source0    = regexp.MustCompile(`(?i)^[ \t]*source0?[ \t]*:[ \t]*(.*?)[ \t\r\n]*$`)
	macro      = regexp.MustCompile(`%\{\??(\w+)\}`)
)

func parseSpec(name string, text []byte, tags map[string]string) spec {
	return spec{name: name, lines: strings.SplitAfter(string(text), "\n"), tags: tags}
}

// definitions are the lines that define the macro name, commented ones not.
func (s spec) definitions(name string) []value {
	var found []value
	for i, line := range s.lines {
		m := definition.FindStringSubmatchIndex(line)
		if m != nil && line[m[2]:m[3]] == name {
			found = append(found, value{line: i + 1, at: m[4], text: line[m[4]:m[5]]})
		}
	}
	return found
}

// sources are the lines that say Source0 (or Source, its other name).
func (s spec) sources() []value {
	var found []value
	for i, line := range s.lines {
		if m := source0.FindStringSubmatchIndex(line); m != nil {
			found = append(found, value{line: i + 1, at: m[2], text: line[m[2]:m[3]]})
		}
	}
	return found
}

// expand resolves %{name} as far as the spec's own literals and the header's
// tags reach; what it does not know stays. Macros count from above v alone.
func (s spec) expand(v value) string {
	text := v.text
	for range 8 { // macros within macros; a ring ends here
		next := macro.ReplaceAllStringFunc(text, func(call string) string {
			return s.lookup(macro.FindStringSubmatch(call)[1], v.line, call)
		})
		if next == text || len(next) > 4096 {
			break
		}
		text = next
	}
	return text
}

// lookup is the text of the last definition of name above line, or unknown.
func (s spec) lookup(name string, line int, unknown string) string {
	text := unknown
	if tag, ok := s.tags[name]; ok {
		text = tag
	}
	for _, d := range s.definitions(name) {
		if d.line < line {
			text = d.text
		}
	}
	return text
}

// with is the spec with the text of v replaced; white space stays.
func (s spec) with(v value, text string) spec {
	line := s.lines[v.line-1]
	lines := append([]string(nil), s.lines...)
	lines[v.line-1] = line[:v.at] + text + line[v.at+len(v.text):]
	s.lines = lines
	return s
}

func (s spec) bytes() []byte {
	return []byte(strings.Join(s.lines, ""))
}

// literal tells whether a knob's text is a plain word that can be edited.
func literal(text string) bool {
	return text != "" && !strings.ContainsAny(text, "%{}() \t\\")
}
