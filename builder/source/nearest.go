package source

import (
	"bytes"
	"path"
	"strings"
)

// pair returns a number for two neighbouring bytes.
func pair(a, b byte) uint16 { return uint16(a)<<8 | uint16(b) }

// nearestLine returns the line of text that is most similar to the first line of
// find, to show a typing error or other white space: the one that has most of its
// pairs of letters, and of several such lines the shortest (Dice's measure). It
// returns 0 if no line is similar. Only the beginning of a very long line counts.
func nearestLine(text, find []byte) (number int, line string) {
	const long = 400
	var want [1 << 16]uint8
	first := firstLine(find)
	first = first[:min(len(first), 200)]
	for i := range len(first) - 1 {
		want[pair(first[i], first[i+1])]++
	}
	best := 0.5 // less in common is by chance
	n := 0
	for raw := range bytes.Lines(text) {
		n++
		l := bytes.TrimSpace(raw)
		l = l[:min(len(l), long)]
		if like := likeness(&want, first, l); like > best {
			best, number, line = like, n, string(bytes.TrimRight(raw, "\r\n"))
		}
	}
	return number, line
}

// firstLine returns the first line of text that is not blank, without the white
// space around it.
func firstLine(text []byte) []byte {
	line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	return bytes.TrimSpace(line)
}

// likeness returns how similar line is to first, from 0 to 1. want has the counts of
// first's pairs; it is changed, but restored.
func likeness(want *[1 << 16]uint8, first, line []byte) float64 {
	if len(first) < 2 || len(line) < 2 {
		return 0
	}
	common := 0
	var taken [400]uint16
	for i := range len(line) - 1 {
		if p := pair(line[i], line[i+1]); want[p] > 0 {
			want[p]--
			taken[common] = p
			common++
		}
	}
	for _, p := range taken[:common] {
		want[p]++
	}
	dice := 2 * float64(common) / float64(len(first)+len(line)-2)
	return 0.9*float64(common)/float64(len(first)-1) + 0.1*dice
}

// nearer tells whether name is a better guess for the missing file want than best
// is: it has the same base name, and more of the last folders in common.
func nearer(want, name, best string) bool {
	return path.Base(name) == path.Base(want) && (best == "" || tail(want, name) > tail(want, best))
}

// tail returns a number that grows with the last parts that two paths have in
// common, and, less, with the first ones.
func tail(a, b string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	last, first := 0, 0
	for last < min(len(x), len(y)) && x[len(x)-1-last] == y[len(y)-1-last] {
		last++
	}
	for first < min(len(x), len(y)) && x[first] == y[first] {
		first++
	}
	return 100*last + first
}
