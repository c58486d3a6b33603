package recipe

import "unicode/utf8"

// longestWord is the length, in bytes, above which nearest suggests nothing.
const longestWord = 64

// nearest returns the one of known that is most like word, or "" if none is like
// it. A third of its letters may be wrong, or one letter of a shorter word.
func nearest(word string, known []string) string {
	if len(word) > longestWord {
		return ""
	}
	best, distance := "", max(1, utf8.RuneCountInString(word)/3)+1
	for _, k := range known {
		if d := distanceOf(word, k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// distanceOf counts the letters to insert, remove or change to make b out of a.
// Two exchanged neighbours count as one (the optimal string alignment distance).
func distanceOf(a, b string) int {
	s, t := []rune(a), []rune(b)
	var before, above []int
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(s); i++ {
		before, above, row = above, row, make([]int, len(t)+1)
		row[0] = i
		for j := 1; j <= len(t); j++ {
			change := above[j-1]
			if s[i-1] != t[j-1] {
				change++
			}
			row[j] = min(above[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(t)]
}
