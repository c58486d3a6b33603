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
	line int    // where this part of it begins
	// old and new are paths below the top directory; empty: there is no such
	// file before or after.
	old, new string
	// fills: the one hunk, of a diff that is not git's, has nothing before; the
	// file may be missing or empty.
	fills bool
	mode  uint32 // git's, of the file as it becomes; 0: as it is
	hunks []hunk
}

// Git knows two modes of regular files.
const (
	modePlain   = 0o100644
	modeProgram = 0o100755
)

// patchReader reads a unified diff, plain or git's. Its lines are not kept
// apart: a hunk holds the text before and the text after as a whole.
type patchReader struct {
	file  string
	strip int
	rest  []byte
	line  int // the number of the first line in rest
}

// parsePatch reads a patch up to the first thing that is wrong with it. Text
// around the diffs is passed over, as patch does.
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

// peek is the next line with its end; nil at the end of the patch.
func (r *patchReader) peek() []byte {
	if len(r.rest) == 0 {
		return nil
	}
	if i := bytes.IndexByte(r.rest, '\n'); i >= 0 {
		return r.rest[:i+1]
	}
	return r.rest
}

func (r *patchReader) next() []byte {
	line := r.peek()
	r.rest = r.rest[len(line):]
	r.line++
	return line
}

// isPair tells whether the two lines that name a file come next.
func (r *patchReader) isPair() bool {
	first := r.peek()
	second := r.rest[len(first):]
	return bytes.HasPrefix(first, []byte("--- ")) && bytes.HasPrefix(second, []byte("+++ "))
}

// plain reads a file's part of a diff that is not git's.
func (r *patchReader) plain() (filePatch, *Fault) {
	f := filePatch{file: r.file, line: r.line}
	var fault *Fault
	if f.old, f.new, fault = r.pair(); fault != nil {
		return f, fault
	}
	if f.old != "" && f.new != "" {
		f.old = f.new // the other one is a copy's name: a.orig/x, x.orig
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

// name is the path in a line --- or +++; empty for a file that is not there.
func (r *patchReader) name() (string, *Fault) {
	name, stamp := string(bytes.TrimRight(r.peek()[len("--- "):], "\r\n")), ""
	if strings.HasPrefix(name, `"`) {
		whole, err := strconv.QuotedPrefix(name)
		if err != nil {
			return "", r.fault("a quoted name", clip(name))
		}
		name, _ = strconv.Unquote(whole)
	} else {
		name, stamp, _ = strings.Cut(name, "\t")
	}
	// diff -N dates a file that is not there at the beginning of time.
	at, err := time.Parse("2006-01-02 15:04:05.999999999 -0700", strings.TrimSpace(stamp))
	if name == "/dev/null" || err == nil && at.Unix() == 0 {
		r.next()
		return "", nil
	}
	name, fault := r.stripped(name, r.strip)
	r.next()
	return name, fault
}

// stripped takes the first folders off a name.
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
	// A hunk with more lines than its head says would be cut in silence.
	if line := r.peek(); len(list) > 0 && line != nil && !bytes.HasPrefix(line, []byte("--")) && strings.IndexByte(" +-", line[0]) >= 0 {
		return nil, r.fault("the end of hunk "+list[len(list)-1].head, clip(string(line)))
	}
	return list, nil
}

// hunk reads one hunk by the counts in its head.
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
		op := opOf(line)
		if !h.takes(op, old, new) {
			return h, r.fault(fmt.Sprintf("%d old and %d new lines more in hunk %s", old, new, h.head), clip(string(line)))
		}
		old, new = old-h.add(op, r.next()), new-bit(op == '+' || op == ' ')
	}
	if opOf(r.peek()) == '\\' {
		h.add('\\', r.next())
	}
	if !h.changed {
		return h, &Fault{File: r.file, Line: h.line, Want: "a hunk that changes something", Found: h.head}
	}
	return h, nil
}

// opOf is what a line of a hunk does; 0: it is none. Mailers cut the blank off
// an empty line of context.
func opOf(line []byte) byte {
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

// takes tells whether a line may come next, with so many old and new lines to
// come. What has no line end is the last of its side.
func (h hunk) takes(op byte, old, new int) bool {
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
