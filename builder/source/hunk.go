package source

import (
	"bytes"
	"fmt"
	"sort"
)

// maxLines bounds the numbers in a patch: no file that is edited has so many.
const maxLines = largest

// hunk is one hunk of a patch.
type hunk struct {
	line  int    // in the patch
	head  string // quoted
	start int    // the first old line, or the one before where there is none
	// old is the text before, new the text after, both with the context.
	old, new []byte
	// prefix and suffix are the lines of context at either end, head and tail
	// their bytes.
	prefix, suffix     int
	headSize, tailSize int
	changed            bool
	last               byte // what the last line did
}

// add takes a line of the hunk over; 1 means that it is one of the old text.
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

// cutEnd takes "\ No newline at end of file" back from the line above.
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

// first is the line, from 0, where the hunk says that it begins.
func (h hunk) first() int {
	if len(h.old) == 0 {
		return h.start
	}
	return max(0, h.start-1)
}

// lines are the offsets where the lines of a text begin, and its end.
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

// at is the offset of a line, of the last one's end for all behind it.
func (l lines) at(line int) int { return int(l[min(max(line, 0), len(l)-1)]) }

// number is the line that begins at an offset.
func (l lines) number(at int) int {
	return sort.Search(len(l), func(i int) bool { return int(l[i]) >= at })
}

// apply makes all hunks in text: exactly (no fuzz), each at the place nearest
// to where it says, moved as the one before it was moved. That is what patch
// --fuzz=0 does. The notes tell each hunk that stands elsewhere, the faults
// each that stands nowhere.
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

// moved says how far from its place a hunk is.
func moved(lines int) string {
	where := "below"
	if lines < 0 {
		lines, where = -lines, "above"
	}
	if lines == 1 {
		return "1 line " + where + " where it says"
	}
	return fmt.Sprintf("%d lines %s where it says", lines, where)
}

// find is where in text, behind done, the hunk stands nearest to line guess,
// the later place first; -1: nowhere. Less context before than behind means
// the begin of the file, less behind than before its end.
func (h hunk) find(text []byte, starts lines, done, guess int) int {
	end := len(text) - len(h.old)
	switch {
	case len(h.old) == 0: // nothing says where, but in an empty file
		return min(0, -len(text))
	case end < done:
		return -1
	case h.prefix < h.suffix && h.start <= 1:
		return standing(text, h.old, 0, done)
	case h.suffix < h.prefix || h.old[len(h.old)-1] != '\n':
		return standing(text, h.old, end, done)
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

// standing is at when old stands there, at the begin of a line, and -1 else.
func standing(text, old []byte, at, done int) int {
	if at < done || at > 0 && text[at-1] != '\n' || !bytes.HasPrefix(text[at:], old) {
		return -1
	}
	return at
}

// next is the first place of old from a line's begin on; -1: none. Lines are
// kept by looking for the line end before them too: that stays linear.
func next(text, old []byte, from int) int {
	if bytes.HasPrefix(text[from:], old) {
		return from
	}
	if i := bytes.Index(text[from:], lineOn(old)); i >= 0 {
		return from + i + 1
	}
	return -1
}

// previous is the last place of old that begins from done on and before to.
func previous(text, old []byte, done, to int) int {
	if i := bytes.LastIndex(text[done:min(len(text), max(0, to-1)+len(old))], lineOn(old)); i >= 0 {
		return done + i + 1
	}
	return standing(text, old, done, done)
}

func lineOn(old []byte) []byte { return append([]byte{'\n'}, old...) }
