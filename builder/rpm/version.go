package rpm

import (
	"cmp"
	"strings"
)

// CompareVersions compares two versions, or two releases, as rpm does
// (rpmio/rpmvercmp.c). It returns -1 if a is older, 1 if it is newer, and 0 if rpm
// does not tell them apart.
//
// A version is cut into runs of digits and runs of ASCII letters; everything else
// separates runs. Digits are newer than letters, numbers compare by value, letters
// by byte. "~" is older than everything, also than the end; "^" is newer than the end
// and older than everything else.
func CompareVersions(a, b string) int {
	for {
		a, b = strings.TrimLeftFunc(a, isSeparator), strings.TrimLeftFunc(b, isSeparator)
		if c, mark := compareMarks(a, b); c != 0 {
			return c
		} else if mark {
			a, b = a[1:], b[1:]
			continue
		}
		if a == "" || b == "" {
			return cmp.Compare(len(a), len(b)) // the longer one is newer
		}
		var x, y string
		number := isDigit(rune(a[0]))
		if number {
			x, a = cutRun(a, isDigit)
			y, b = cutRun(b, isDigit)
		} else {
			x, a = cutRun(a, isLetter)
			y, b = cutRun(b, isLetter)
		}
		if y == "" { // the runs are of different kinds
			if number {
				return 1
			}
			return -1
		}
		if c := compareRuns(x, y, number); c != 0 {
			return c
		}
	}
}

// compareMarks compares two versions of which one begins with "~" or "^". mark
// reports that both begin with the same of them.
func compareMarks(a, b string) (c int, mark bool) {
	if x, y := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~"); x || y {
		switch {
		case !x:
			return 1, false
		case !y:
			return -1, false
		}
		return 0, true
	}
	x, y := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^")
	switch {
	case x && y:
		return 0, true
	case x && b == "", y && a != "":
		return 1, false
	case x, y:
		return -1, false
	}
	return 0, false
}

func compareRuns(x, y string, number bool) int {
	if number {
		return compareNumbers(x, y)
	}
	return cmp.Compare(x, y)
}

// compareNumbers compares decimal digits of any length by value.
func compareNumbers(x, y string) int {
	x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
}

func cutRun(s string, in func(rune) bool) (run, rest string) {
	rest = strings.TrimLeftFunc(s, in)
	return s[:len(s)-len(rest)], rest
}

func isDigit(c rune) bool  { return '0' <= c && c <= '9' }
func isLetter(c rune) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isSeparator(c rune) bool {
	return !isDigit(c) && !isLetter(c) && c != '~' && c != '^'
}
