package source

import (
	"bytes"
	"fmt"
)

// conflict says why the hunk stands nowhere in text: it is made already, or
// where it nearly fits.
func (h hunk) conflict(text []byte, starts lines, done int) string {
	if len(h.old) == 0 {
		return fmt.Sprintf("%d bytes and nothing in the hunk that says where", len(text))
	}
	made := h
	made.old, made.new = h.new, h.old
	if at := made.find(text, starts, 0, h.first()); len(h.new) > 0 && at >= 0 {
		return fmt.Sprintf("it made already, at line %d", starts.number(at)+1)
	}
	if at := h.find(text, starts, 0, h.first()); at >= 0 && at < done {
		return fmt.Sprintf("its lines at line %d alone, above a hunk that comes before it", starts.number(at)+1)
	}
	return h.nearly(text, starts)
}

// nearly is where most lines of the hunk stand in text, and the first of them
// that differs. It looks at so much of both as can be compared in a second.
func (h hunk) nearly(text []byte, starts lines) string {
	const mostOld, mostText = 200, 200_000
	old := linesOf(h.old)
	n, all := min(len(old)-1, mostOld), min(len(starts)-1, mostText)
	best, at := 0, 0
	for i := range all {
		alike := 0
		for k := 0; k < n && i+k < all; k++ {
			if bytes.Equal(lineAt(text, starts, i+k), lineAt(h.old, old, k)) {
				alike++
			}
		}
		if alike > best {
			best, at = alike, i
		}
	}
	if best*3 < n || best == 0 {
		return "nothing like it"
	}
	for k := range n {
		want := lineAt(h.old, old, k)
		if at+k >= len(starts)-1 {
			return fmt.Sprintf("it nearly at line %d (%d of %d lines), where the file ends before %s", at+1, best, n, clip(string(want)))
		}
		if got := lineAt(text, starts, at+k); !bytes.Equal(got, want) {
			return fmt.Sprintf("it nearly at line %d (%d of %d lines), where line %d is %s for %s", at+1, best, n, at+k+1, clip(string(got)), clip(string(want)))
		}
	}
	end := "begin"
	if h.suffix < h.prefix || h.old[len(h.old)-1] != '\n' {
		end = "end"
	}
	return fmt.Sprintf("its lines at line %d, and not at the %s of the file, where less context on that side puts it", at+1, end)
}

func lineAt(text []byte, l lines, i int) []byte { return text[l[i]:l[i+1]] }
