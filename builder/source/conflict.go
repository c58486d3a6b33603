package source

import (
	"bytes"
	"fmt"
)

// conflict describes why the hunk fits nowhere in text: it was applied already, or
// it nearly fits somewhere.
func (h hunk) conflict(text []byte, starts lines, done int) string {
	if len(h.old) == 0 {
		return fmt.Sprintf("%d bytes, and no line in the hunk that tells where", len(text))
	}
	applied := h
	applied.old, applied.new = h.new, h.old
	if at := applied.find(text, starts, 0, h.first()); len(h.new) > 0 && at >= 0 {
		return fmt.Sprintf("it applied already, at line %d", starts.number(at)+1)
	}
	if at := h.find(text, starts, 0, h.first()); at >= 0 && at < done {
		return fmt.Sprintf("its lines only at line %d, above the hunk before it", starts.number(at)+1)
	}
	return h.nearly(text, starts)
}

// nearly describes the place in text with most lines of the hunk, and the first
// line there that differs. It compares no more than is possible in a second.
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
		return "nothing similar"
	}
	for k := range n {
		want := lineAt(h.old, old, k)
		if at+k >= len(starts)-1 {
			return fmt.Sprintf("it nearly at line %d (%d of %d lines), where the file ends before %s", at+1, best, n, clip(string(want)))
		}
		if got := lineAt(text, starts, at+k); !bytes.Equal(got, want) {
			return fmt.Sprintf("it nearly at line %d (%d of %d lines), where line %d is %s instead of %s", at+1, best, n, at+k+1, clip(string(got)), clip(string(want)))
		}
	}
	end := "beginning"
	if h.suffix < h.prefix || h.old[len(h.old)-1] != '\n' {
		end = "end"
	}
	return fmt.Sprintf("its lines at line %d, and not at the %s of the file, where a hunk with less context on that side must be", at+1, end)
}

// lineAt returns a line with its line end.
func lineAt(text []byte, l lines, i int) []byte { return text[l[i]:l[i+1]] }
