package recipe

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// document reads the mapping that a page is. It returns nil if there is none, and
// reports a fault. Nodes of parts that are not YAML have Kind 0.
func (p *page) document(data []byte) *yaml.Node {
	root, err := p.load(data)
	if err == nil {
		return root
	}
	if root, ok := p.sections(data); ok {
		return root
	}
	p.syntax(err, data, 0)
	return nil
}

// load reads data as one YAML document.
func (p *page) load(data []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case err == io.EOF:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: 1, Column: 1}, nil
	case err != nil:
		return nil, err
	}
	switch err := loader.Load(&second); {
	case err == nil:
		p.fault(&second, "a second YAML document begins: a file must have one recipe")
	case err != io.EOF:
		return nil, err
	}
	return first.Content[0], nil
}

// sections reads a page that is not YAML as a whole. It reads each part that
// begins with a key in the first column on its own, so that a mistake in one part
// does not hide the faults of the others. It returns false if no part shows what
// is wrong with the page.
func (p *page) sections(data []byte) (*yaml.Node, bool) {
	root := &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	broken := false
	for _, s := range split(data, MaxFaults) {
		part, err := (&page{}).load(s.text)
		switch {
		case err != nil:
			broken = true
			p.syntax(err, s.text, s.line)
			key := &yaml.Node{Kind: yaml.ScalarNode, Value: s.key, Line: s.line + 1, Column: 1}
			root.Content = append(root.Content, key, &yaml.Node{})
		case part.Kind != yaml.MappingNode:
			broken = true
			p.fault(&yaml.Node{Line: s.line + 1}, "not YAML: must be a key with a colon")
		default:
			shift(part, s.line)
			root.Content = append(root.Content, part.Content...)
		}
	}
	return root, broken
}

// section is a part of a page. line is the number of lines before it.
type section struct {
	key  string
	line int
	text []byte
}

// split cuts a page before every line that begins with a letter, but not more than
// most times.
func split(data []byte, most int) []section {
	all := []section{{}}
	line := 0
	for text := range bytes.Lines(data) {
		if c := text[0] | 0x20; c >= 'a' && c <= 'z' && len(all) <= most {
			key, _, _ := bytes.Cut(text, []byte(":"))
			all = append(all, section{key: string(bytes.TrimSpace(key)), line: line})
		}
		last := &all[len(all)-1]
		last.text = append(last.text, text...)
		line++
	}
	return all[1:]
}

// shift adds lines to the line numbers of n and of all nodes in it.
func shift(n *yaml.Node, lines int) {
	n.Line += lines
	for _, c := range n.Content {
		shift(c, lines)
	}
}

// syntax reports an error of the YAML library about text, a part of the page that
// begins after so many lines. A tab in the indentation, which YAML forbids, is called
// that: the library's words for it differ, and do not name it.
func (p *page) syntax(err error, text []byte, lines int) {
	at, message := &yaml.Node{Line: 1, Column: 1}, err.Error()
	var load *yaml.LoadError
	if errors.As(err, &load) {
		message = load.Message
		if load.ContextMsg != "" {
			message = load.ContextMsg + ", " + message
		}
		at.Line, at.Column = max(1, load.Mark.Line), max(1, load.Mark.Column)
	}
	if column := indentingTab(text, at.Line); column > 0 {
		at.Column, message = column, "a tab in the indentation: must be spaces"
	}
	at.Line += lines
	p.fault(at, "not YAML: %s", message)
}

// indentingTab returns the column of the first tab among the blanks that begin a line,
// or 0 if there is none. Lines start at 1.
func indentingTab(text []byte, line int) int {
	for l := range bytes.Lines(text) {
		if line--; line == 0 {
			blanks := l[:len(l)-len(bytes.TrimLeft(l, " \t"))]
			return 1 + bytes.IndexByte(blanks, '\t')
		}
	}
	return 0
}

// encoding reports the first character of each line that a recipe must not have.
func (p *page) encoding(data []byte) {
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if column, what := badCharacter(text); column > 0 {
			p.fault(&yaml.Node{Line: line, Column: column}, "%s: must be text in UTF-8", what)
		}
	}
}

// badCharacter finds the first byte of a line that is not UTF-8 or not text. Its
// column starts at 1; 0 means that there is none.
func badCharacter(line []byte) (column int, what string) {
	for len(line) > 0 {
		column++
		r, size := utf8.DecodeRune(line)
		switch {
		case r == utf8.RuneError && size == 1:
			return column, "a byte that is not UTF-8"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0, r == 0xfffe, r == 0xffff:
			return column, "a control character"
		}
		line = line[size:]
	}
	return 0, ""
}
