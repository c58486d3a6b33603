package source

import (
	"bytes"
	"fmt"
	"sort"
)

// maxLines is the limit for line numbers in a patch. No file that is small enough to
// be edited has so many lines.
const maxLines = largest

// hunk is one hunk of a patch.
type hunk struct {
	line  int    // in the patch
	head  string // quoted
	start int    // the first old line, or the line before if there is no old line
	// old is the text before, new the text after, both with the context.
	old, new []byte
	// prefix and suffix are the numbers of context lines at the beginning and the
	// end, headSize and tailSize their sizes in bytes.
	prefix, suffix     int
	headSize, tailSize int
	changed            bool
	last               byte // the operation of the last line
}

// add adds a line to the hunk. It returns 1 if the old text has the line, and 0 if
// not.
func (h *hunk) add(op byte, line []byte) int {
	if op == '\\' {
		h.cutEnd()
		return 0
	}
	text := bytes.TrimPrefix(line, []byte{op})
	if op != '+' {
		h.old = append(h.old, text...)
	}
	if op != '-' {
		h.new = append(h.new, text...)
	}
	h.last = op
	switch {
	case op != ' ':
		h.changed, h.suffix, h.tailSize = true, 0, 0
	case h.changed:
		h.suffix++
		h.tailSize += len(text)
	default:
		h.prefix++
		h.headSize += len(text)
	}
	return bit(op != '+')
}

// cutEnd removes the line end of the last line, for "\ No newline at end of file".
func (h *hunk) cutEnd() {
	if h.last == '-' || h.last == ' ' {
		h.old = bytes.TrimSuffix(h.old, []byte("\n"))
	}
	if h.last == '+' || h.last == ' ' {
		h.new = bytes.TrimSuffix(h.new, []byte("\n"))
	}
	if h.last == ' ' && h.suffix > 0 {
		h.tailSize--
	}
	h.last = 0
}

// first returns the line, from 0, at which the hunk begins according to its head.
func (h hunk) first() int {
	if len(h.old) == 0 {
		return h.start
	}
	return max(0, h.start-1)
}

// lines are the offsets at which the lines of a text begin, and that of its end.
type lines []int32

func linesOf(text []byte) lines {
	l := make(lines, 0, bytes.Count(text, []byte("\n"))+2)
	for at := 0; at < len(text); {
		l = append(l, int32(at))
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	return append(l, int32(len(text)))
}

// at returns the offset of a line. Behind the last line that is the end of the text.
func (l lines) at(line int) int { return int(l[min(max(line, 0), len(l)-1)]) }

// number returns the line that begins at an offset.
func (l lines) number(at int) int {
	return sort.Search(len(l), func(i int) bool { return int(l[i]) >= at })
}

// apply applies all hunks to text, without fuzz: each at the place that is nearest
// to the line in its head, moved by as much as the hunk before it. This is what
// patch --fuzz=0 does. The notes name the hunks that are at other lines, the
// faults those that do not fit.
func (f filePatch) apply(name string, text []byte) (out []byte, notes []string, faults []Fault) {
	starts := linesOf(text)
	done, offset := 0, 0
	for _, h := range f.hunks {
		at := h.find(text, starts, done, h.first()+offset)
		if at < 0 {
			faults = append(faults, Fault{File: f.file, Line: h.line,
				Want: "hunk " + h.head + " to fit " + name, Found: h.conflict(text, starts, done)})
			continue
		}
		if offset = starts.number(at) - h.first(); offset != 0 {
			notes = append(notes, fmt.Sprintf("%s:%d: hunk %s fits %s at line %d, %s",
				f.file, h.line, h.head, name, starts.number(at)+1, moved(offset)))
		}
		out = append(out, text[done:at+h.headSize]...)
		out = append(out, h.new[h.headSize:len(h.new)-h.tailSize]...)
		done = at + len(h.old) - h.tailSize
		if size := len(out) + len(text) - done; size > largest {
			return nil, nil, append(faults, Fault{File: name, Want: "at most 16 MiB when it is patched", Found: fmt.Sprintf("%d bytes", size)})
		}
	}
	return append(out, text[done:]...), notes, faults
}

// moved describes how far a hunk is from the line in its head.
func moved(lines int) string {
	where := "below"
	if lines < 0 {
		lines, where = -lines, "above"
	}
	if lines == 1 {
		return "1 line " + where + " the line in its head"
	}
	return fmt.Sprintf("%d lines %s the line in its head", lines, where)
}

// find returns the offset of the place in text, not before done, that the hunk fits
// and that is nearest to line guess; of two, the later one. It returns -1 if there
// is none. A hunk with less context before than behind must be at the beginning of
// the file, and one with less behind than before at its end.
func (h hunk) find(text []byte, starts lines, done, guess int) int {
	end := len(text) - len(h.old)
	switch {
	case len(h.old) == 0: // it fits an empty file only
		return min(0, -len(text))
	case end < done:
		return -1
	case h.prefix < h.suffix && h.start <= 1:
		return matchAt(text, h.old, 0, done)
	case h.suffix < h.prefix || h.old[len(h.old)-1] != '\n':
		return matchAt(text, h.old, end, done)
	}
	from := starts.number(done)
	after := next(text, h.old, starts.at(max(guess, from)))
	before := -1
	if guess > from {
		before = previous(text, h.old, done, starts.at(guess))
	}
	switch {
	case before < 0:
		return after
	case after < 0 || guess-starts.number(before) < starts.number(after)-guess:
		return before
	}
	return after
}

// matchAt returns at if old is there and a line begins there, and -1 if not.
func matchAt(text, old []byte, at, done int) int {
	if at < done || at > 0 && text[at-1] != '\n' || !bytes.HasPrefix(text[at:], old) {
		return -1
	}
	return at
}

// next returns the first place of old that begins at a line, from the beginning of
// a line on, or -1. It searches for the line end before old as well, which takes
// linear time.
func next(text, old []byte, from int) int {
	if bytes.HasPrefix(text[from:], old) {
		return from
	}
	if i := bytes.Index(text[from:], lineOn(old)); i >= 0 {
		return from + i + 1
	}
	return -1
}

// previous returns the last place of old that begins at a line, at or after done and
// before to, or -1.
func previous(text, old []byte, done, to int) int {
	if i := bytes.LastIndex(text[done:min(len(text), max(0, to-1)+len(old))], lineOn(old)); i >= 0 {
		return done + i + 1
	}
	return matchAt(text, old, done, done)
}

func lineOn(old []byte) []byte { return append([]byte{'\n'}, old...) }
