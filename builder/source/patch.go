package source

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"namibuild/builder/recipe"
)

// filePatch is what a patch does to one file of the tree.
type filePatch struct {
	file string // the patch, for messages
	line int    // where this part of the patch begins
	// old and new are paths below the top directory. old is empty for a file that
	// is added, new for one that is deleted.
	old, new string
	// fills tells that the part has one hunk without old lines, and is not by git:
	// the file may be missing or empty.
	fills bool
	mode  uint32 // the new mode, as git has it; 0 if it stays
	hunks []hunk
}

// The modes of regular files in git.
const (
	modePlain   = 0o100644
	modeProgram = 0o100755
)

// patchReader reads a unified diff, by git or another program. It does not split
// hunks into lines: a hunk has one old and one new text.
type patchReader struct {
	file  string
	strip int
	rest  []byte
	line  int // the number of the first line in rest
}

// parsePatch reads a patch up to its first fault. It skips text around the diffs, as
// patch does.
func parsePatch(p recipe.Patch) ([]filePatch, *Fault) {
	r := &patchReader{file: p.File, strip: p.Strip, rest: p.Content, line: 1}
	var list []filePatch
	for line := r.peek(); line != nil; line = r.peek() {
		var f filePatch
		var fault *Fault
		switch {
		case bytes.HasPrefix(line, []byte("diff --git ")):
			f, fault = r.git()
		case r.isPair():
			f, fault = r.plain()
		case hunkHead.Match(line):
			fault = r.fault("lines --- and +++ in front of a hunk", "none")
		default:
			r.next()
			continue
		}
		if fault != nil {
			return nil, fault
		}
		list = append(list, f)
	}
	if len(list) == 0 {
		return nil, &Fault{File: p.File, Want: "a unified diff", Found: "none"}
	}
	return list, nil
}

func (r *patchReader) fault(want, found string) *Fault {
	return &Fault{File: r.file, Line: r.line, Want: want, Found: found}
}

// peek returns the next line with its line end, or nil at the end of the patch.
func (r *patchReader) peek() []byte {
	if len(r.rest) == 0 {
		return nil
	}
	if i := bytes.IndexByte(r.rest, '\n'); i >= 0 {
		return r.rest[:i+1]
	}
	return r.rest
}

// next returns the next line, and moves behind it.
func (r *patchReader) next() []byte {
	line := r.peek()
	r.rest = r.rest[len(line):]
	r.line++
	return line
}

// isPair tells whether the next two lines are --- and +++.
func (r *patchReader) isPair() bool {
	first := r.peek()
	second := r.rest[len(first):]
	return bytes.HasPrefix(first, []byte("--- ")) && bytes.HasPrefix(second, []byte("+++ "))
}

// plain reads the part for one file of a diff that is not by git.
func (r *patchReader) plain() (filePatch, *Fault) {
	f := filePatch{file: r.file, line: r.line}
	var fault *Fault
	if f.old, f.new, fault = r.pair(); fault != nil {
		return f, fault
	}
	if f.old != "" && f.new != "" {
		f.old = f.new // the old name may be that of a copy, such as a.orig/x or x.orig
	}
	if f.hunks, fault = r.hunks(); fault != nil {
		return f, fault
	}
	if len(f.hunks) == 0 {
		return f, r.fault("a hunk behind --- and +++", "none")
	}
	f.fills = f.old != "" && len(f.hunks) == 1 && f.hunks[0].start == 0 && len(f.hunks[0].old) == 0
	return f, nil
}

// pair reads the lines --- and +++.
func (r *patchReader) pair() (old, new string, fault *Fault) {
	begin := r.line
	if old, fault = r.name(); fault != nil {
		return "", "", fault
	}
	if new, fault = r.name(); fault != nil {
		return "", "", fault
	}
	if old == "" && new == "" {
		return "", "", &Fault{File: r.file, Line: begin, Want: "the name of a file", Found: "/dev/null twice"}
	}
	return old, new, nil
}

// name returns the path in a line --- or +++. It is empty for a file that does not
// exist.
func (r *patchReader) name() (string, *Fault) {
	name, stamp := string(bytes.TrimRight(r.peek()[len("--- "):], "\r\n")), ""
	if strings.HasPrefix(name, `"`) {
		quoted, err := strconv.QuotedPrefix(name)
		if err != nil {
			return "", r.fault("a quoted name", clip(name))
		}
		name, _ = strconv.Unquote(quoted)
	} else {
		name, stamp, _ = strings.Cut(name, "\t")
	}
	// diff -N gives a file that does not exist the time 0.
	at, err := time.Parse("2006-01-02 15:04:05.999999999 -0700", strings.TrimSpace(stamp))
	if name == "/dev/null" || err == nil && at.Unix() == 0 {
		r.next()
		return "", nil
	}
	name, fault := r.stripped(name, r.strip)
	r.next()
	return name, fault
}

// stripped returns a name without its first n folders.
func (r *patchReader) stripped(name string, n int) (string, *Fault) {
	rest := name
	for range n {
		_, below, ok := strings.Cut(rest, "/")
		if !ok {
			return "", r.fault(fmt.Sprintf("a name with %d or more folders to strip", n), clip(name))
		}
		rest = strings.TrimLeft(below, "/")
	}
	if !fs.ValidPath(rest) || rest == "." || strings.ContainsFunc(rest, unicode.IsControl) {
		return "", r.fault("a path inside the tree", clip(name))
	}
	return rest, nil
}

var hunkHead = regexp.MustCompile(`^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@`)

// hunks reads the hunks of one file.
func (r *patchReader) hunks() ([]hunk, *Fault) {
	var list []hunk
	for line := r.peek(); line != nil; line = r.peek() {
		m := hunkHead.FindSubmatch(line)
		if m == nil {
			break
		}
		h, fault := r.hunk(m)
		if fault != nil {
			return nil, fault
		}
		list = append(list, h)
	}
	// Without this check a hunk with more lines than in its head would be cut.
	if line := r.peek(); len(list) > 0 && line != nil && !bytes.HasPrefix(line, []byte("--")) && strings.IndexByte(" +-", line[0]) >= 0 {
		return nil, r.fault("the end of hunk "+list[len(list)-1].head, clip(string(line)))
	}
	return list, nil
}

// hunk reads one hunk, with as many lines as its head says.
func (r *patchReader) hunk(m [][]byte) (hunk, *Fault) {
	h := hunk{line: r.line, head: "`" + string(m[0]) + "`"}
	var counts [3]int
	for i, digits := range [][]byte{m[1], m[2], m[4]} {
		n, err := strconv.Atoi(string(digits))
		if len(digits) > 0 && err != nil || n > maxLines {
			return h, r.fault("line numbers", h.head)
		}
		if len(digits) == 0 {
			n = 1
		}
		counts[i] = n
	}
	h.start = counts[0]
	r.next()
	for old, new := counts[1], counts[2]; old > 0 || new > 0; {
		line := r.peek()
		op := operation(line)
		if !h.allows(op, old, new) {
			return h, r.fault(fmt.Sprintf("%d old and %d new lines more in hunk %s", old, new, h.head), clip(string(line)))
		}
		old, new = old-h.add(op, r.next()), new-bit(op == '+' || op == ' ')
	}
	if operation(r.peek()) == '\\' {
		h.add('\\', r.next())
	}
	if !h.changed {
		return h, &Fault{File: r.file, Line: h.line, Want: "a hunk that changes something", Found: h.head}
	}
	return h, nil
}

// operation returns the first character of a line of a hunk, or 0 if the line is not
// one. Mail programs remove the blank of an empty line of context.
func operation(line []byte) byte {
	switch {
	case len(line) == 0 || line[len(line)-1] != '\n':
		return 0
	case line[0] == '\n' || string(line) == "\r\n":
		return ' '
	case strings.IndexByte(" +-\\", line[0]) >= 0:
		return line[0]
	}
	return 0
}

// allows tells whether a line may be next, when so many old and new lines are
// missing. A line without a line end must be the last old or new one.
func (h hunk) allows(op byte, old, new int) bool {
	switch op {
	case ' ':
		return old > 0 && new > 0
	case '-':
		return old > 0
	case '+':
		return new > 0
	case '\\':
		return h.last == '-' && old == 0 || h.last == '+' && new == 0
	}
	return false
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}
