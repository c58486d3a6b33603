package source

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"namibuild/builder/recipe"
)

// replaceMatches makes one edit with a regular expression. The fault says why it
// does not fit text. An empty match is a fault, because it is hardly intended.
func replaceMatches(file string, text []byte, e recipe.Edit) ([]byte, *Fault) {
	re, err := regexp.Compile("(?m)" + e.Regexp)
	if err != nil {
		return nil, &Fault{File: file, Want: "a regular expression", Found: err.Error()}
	}
	const counted = 1000 // more matches than these, and more than wanted, are not counted
	most := max(e.Times, counted) + 1
	found := re.FindAllSubmatchIndex(text, most)
	for _, m := range found {
		if m[0] == m[1] {
			return nil, &Fault{File: file, Line: lineOf(text, m[0]),
				Want: "matches of " + expression(e) + " with at least one character", Found: "an empty one"}
		}
	}
	if len(found) != e.Times {
		return nil, &Fault{File: file, Want: "a match of " + expression(e) + " " + times(e.Times), Found: spans(text, found, most)}
	}
	return expand(file, text, re, e.Replace, found)
}

// expression returns the edit's expression for a message, without the doubled
// backslashes of clip.
func expression(e recipe.Edit) string {
	return strings.ReplaceAll(clip(e.Regexp), `\\`, `\`)
}

// expand replaces every match by the expanded template.
func expand(file string, text []byte, re *regexp.Regexp, template string, found [][]int) ([]byte, *Fault) {
	var out []byte
	at := 0
	for _, m := range found {
		out = append(out, text[at:m[0]]...)
		out = re.Expand(out, []byte(template), text, m)
		at = m[1]
		if size := len(out) + len(text) - at; size > largest {
			return nil, &Fault{File: file, Want: "at most 16 MiB when it is edited", Found: fmt.Sprintf("more than %d bytes", largest)}
		}
	}
	return append(out, text[at:]...), nil
}

// spans describes how often and where an expression matches.
func spans(text []byte, found [][]int, most int) string {
	if len(found) == 0 {
		return "it nowhere"
	}
	var lines []int
	line, at := 1, 0
	for _, m := range found[:min(len(found), 11)] {
		line += bytes.Count(text[at:m[0]], []byte("\n"))
		at = m[0]
		lines = append(lines, line)
	}
	often := times(len(found))
	if len(found) == most {
		often = fmt.Sprintf("more than %d times", most-1)
	}
	return "it " + often + " (" + numbers(lines) + ")"
}
