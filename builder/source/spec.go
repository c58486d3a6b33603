package source

import (
	"regexp"
	"strings"
)

// spec is the text of a spec in lines, each with its line end. Bytes that are not
// UTF-8 are kept.
type spec struct {
	name  string
	lines []string
	// tags are the name, version and release in the SRPM's header.
	tags map[string]string
	// left are the files that the SRPM names but leaves out.
	left map[string]bool
}

// value is one setting in a spec: the text behind `%define name` or `Source0:`.
type value struct {
	line int // from 1
	at   int // offset of text in the line
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

// definitions returns the lines that define a macro, without those in comments.
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

// sources returns the lines with Source0, or Source, its other name.
func (s spec) sources() []value {
	var found []value
	for i, line := range s.lines {
		if m := source0.FindStringSubmatchIndex(line); m != nil {
			found = append(found, value{line: i + 1, at: m[2], text: line[m[2]:m[3]]})
		}
	}
	return found
}

// expand replaces %{name} by what the spec defines above v, or the header has. It
// leaves macros that it does not know as they are.
func (s spec) expand(v value) string {
	text := v.text
	for range 8 { // macros in macros; the limit ends a cycle
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

// lookup returns the text of the last definition of name above line, or unknown.
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

// with returns the spec with another text of v. White space stays.
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

// literal tells whether the text of a macro is a plain word, which can be edited.
func literal(text string) bool {
	return text != "" && !strings.ContainsAny(text, "%{}() \t\\")
}
