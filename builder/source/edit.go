package source

import (
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"namibuild/builder/recipe"
)

// largest is the size limit of an edited file, in bytes, before and after the edits.
// It is kept in memory. The largest files of a kernel tree that people edit have
// 1 MiB.
const largest = 16 << 20

// expected is a file that must exist for the recipe.
type expected struct {
	path string // in the tree, below the top directory
	seen bool
	near string // the most similar path seen, until the file is seen
}

// target is one file that the recipe edits.
type target struct {
	expected
	edits        []entry
	config       []recipe.Option // set after the edits
	extraversion string          // the new value of the Makefile's EXTRAVERSION; empty for other files
	patched      bool            // a patch changes or adds it
	added        *recipe.Added
	change       Change
	faults       []Fault
	notes        []string
}

// entry is an edit with the words that name it in a fault.
type entry struct {
	recipe.Edit
	words string
}

// entriesOf returns the edits of one place.
func entriesOf(r recipe.Recipe, in recipe.Place) []entry {
	name := "the recipe"
	if r.Path != "" {
		name = filepath.Base(r.Path)
	} else if r.Name != "" {
		name = "recipe " + r.Name
	}
	var all []entry
	for i, e := range r.Edits {
		if e.In == in {
			all = append(all, entry{e, fmt.Sprintf("edit %d of %s", i+1, name)})
		}
	}
	return all
}

// entry returns the words that name the first edit of a target, or "" if it has none.
func (t *target) entry() string {
	if len(t.edits) == 0 {
		return ""
	}
	return t.edits[0].words
}

// targets returns the files of the tree to edit, the Makefile first, each once.
func targets(r recipe.Recipe, extraversion string) []*target {
	var list []*target
	if extraversion != "" {
		list = append(list, &target{expected: expected{path: "Makefile"}, extraversion: extraversion})
	}
	return addEdits(list, entriesOf(r, recipe.InTree))
}

// addEdits adds edits of one place to the targets of their files. It appends
// the targets that list does not have.
func addEdits(list []*target, edits []entry) []*target {
	byPath := map[string]*target{}
	for _, t := range list {
		byPath[t.path] = t
	}
	for _, e := range edits {
		name := path.Clean(e.File)
		t := byPath[name]
		if t == nil {
			t = &target{expected: expected{path: name}}
			byPath[name] = t
			list = append(list, t)
		}
		t.edits = append(t.edits, e)
	}
	return list
}

// apply makes the edits in order, then sets the options, and then the Makefile's
// EXTRAVERSION, because edits are written for the tree as it was shipped. It
// returns the faults of all of them.
func (t *target) apply(text []byte) ([]byte, []Fault) {
	var faults []Fault
	for _, e := range t.edits {
		next, fault := replace(t.path, text, e.Edit)
		if fault != nil {
			fault.Entry = e.words
			faults = append(faults, *fault)
			continue
		}
		text = next
	}
	if len(t.config) > 0 {
		text, t.notes = setOptions(t.path, text, t.config)
	}
	if t.extraversion == "" {
		return text, faults
	}
	text, fault := setExtraversion(t.path, text, t.extraversion)
	if fault != nil {
		faults = append(faults, *fault)
	}
	return text, faults
}

// replace makes one edit. The fault says why it does not fit text.
func replace(file string, text []byte, e recipe.Edit) ([]byte, *Fault) {
	if e.Regexp != "" {
		return replaceMatches(file, text, e)
	}
	if e.Find == "" {
		return nil, &Fault{File: file, Want: "a text to find", Found: "an empty one"}
	}
	find := []byte(e.Find)
	found := bytes.Count(text, find)
	if found != e.Times {
		return nil, &Fault{
			File:  file,
			Want:  clip(e.Find) + " " + times(e.Times),
			Found: matches(text, find, found),
		}
	}
	if size := len(text) + found*(len(e.Replace)-len(find)); size > largest {
		return nil, &Fault{File: file, Want: "at most 16 MiB when it is edited", Found: fmt.Sprintf("%d bytes", size)}
	}
	return bytes.ReplaceAll(text, find, []byte(e.Replace)), nil
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// matches describes how often and where text has find, or, if it does not have it,
// the most similar line.
func matches(text, find []byte, found int) string {
	if found > 0 {
		return fmt.Sprintf("it %s (%s)", times(found), numbers(matchLines(text, find, 11)))
	}
	number, line := nearestLine(text, find)
	if number == 0 {
		return "it nowhere"
	}
	return fmt.Sprintf("it 0 times; the most similar is line %d: %s", number, clip(line))
}

// matchLines returns the numbers of the lines where matches begin, but not more than
// most.
func matchLines(text, find []byte, most int) []int {
	var lines []int
	line, at := 1, 0
	for len(lines) < most {
		i := bytes.Index(text[at:], find)
		if i < 0 {
			break
		}
		line += bytes.Count(text[at:at+i], []byte("\n"))
		lines = append(lines, line)
		line += bytes.Count(find, []byte("\n"))
		at += i + len(find)
	}
	return lines
}

var (
	extraversion      = regexp.MustCompile(`(?m)^EXTRAVERSION[ \t]*[:?]?=.*$`)
	emptyExtraversion = regexp.MustCompile(`^EXTRAVERSION[ \t]*=([ \t]*)$`)
)

// setExtraversion sets the EXTRAVERSION of the kernel's Makefile, which must be
// empty and must be in it once.
func setExtraversion(file string, text []byte, to string) ([]byte, *Fault) {
	found := extraversion.FindAllIndex(text, 3)
	if len(found) != 1 {
		got := "no such line"
		if len(found) > 1 {
			got = fmt.Sprintf("line %d and line %d", lineOf(text, found[0][0]), lineOf(text, found[1][0]))
		}
		return nil, &Fault{File: file, Want: "one line `EXTRAVERSION =`", Found: got}
	}
	at := found[0]
	line := strings.TrimSuffix(string(text[at[0]:at[1]]), "\r")
	space := emptyExtraversion.FindStringSubmatch(line)
	if space == nil {
		return nil, &Fault{File: file, Line: lineOf(text, at[0]), Want: "an empty EXTRAVERSION", Found: clip(line)}
	}
	if space[1] == "" {
		to = " " + to
	}
	end := at[0] + len(line)
	return bytes.Join([][]byte{text[:end], []byte(to), text[end:]}, nil), nil
}

func lineOf(text []byte, at int) int {
	return 1 + bytes.Count(text[:at], []byte("\n"))
}
