// Package buildlog reads what rpmbuild prints: while it runs, for its progress, and
// after it failed, for the reason.
package buildlog

import (
	"bufio"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// lastLines is how much of a log's end a Failure keeps.
const lastLines = 12

// longLine bounds a line of the log in memory; what is longer is cut.
const longLine = 4096

// located is a compiler's, assembler's, Kconfig's or rpm's error with a place.
var located = regexp.MustCompile(`^(?:error: )?([^\s:][^:]*):(\d+):(?:\d+:)? (?:(?:fatal |internal compiler )?error: |Error: |undefined reference|multiple definition|bad |syntax error|parse error)`)

// errors without a place, the more telling first: the first of the first
// group that is found anywhere is the answer. "Bad exit status" and make's
// "***" only repeat that something failed.
var unlocated = [][]*regexp.Regexp{
	{
		regexp.MustCompile(`(?i)no space left on device`),
		regexp.MustCompile(`^\d+ out of \d+ hunks? FAILED`),
		regexp.MustCompile(`^Hunk #\d+ FAILED`),
		regexp.MustCompile(`^(?:patch|tar|gpg|cp|mv|cc1|ld|gcc|perl|objcopy|strip|find|cpio|gzip|bzip2|xz|sh|bash|/bin/sh|/usr/bin/\S+): .*(?i:error|cannot|can't|no such|not found|failed|fatal|denied|killed|invalid)`),
		regexp.MustCompile(`undefined reference to`),
		regexp.MustCompile(`^error: (?:Failed build dependencies|File |Bad |line |Installed|Macro|.*not found)`),
		regexp.MustCompile(`command not found|: not found$|Killed`),
		regexp.MustCompile(`^ERROR: `),
	},
	{regexp.MustCompile(`\*\*\* .*(?:Error \d+|No rule|Stop)`)},
	{regexp.MustCompile(`^error: `)},
}

var (
	repeated  = regexp.MustCompile(`^error: Bad exit status from `)
	executing = regexp.MustCompile(`^Executing\((%\w+)\)`)
	diskFull  = regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`)
)

// Failure is what the log of a failed rpmbuild says went wrong.
type Failure struct {
	Phase    string   `json:"phase"`          // %prep, %build, …
	First    string   `json:"first"`          // the first real error, as the log has it
	File     string   `json:"file,omitempty"` // where it stands in the tree
	Line     int      `json:"line,omitempty"`
	DiskFull bool     `json:"diskFull,omitempty"`
	Last     []string `json:"last"` // the last lines of the log
}

// ReadFailure finds in a log what went wrong first.
func ReadFailure(log io.Reader) (Failure, error) {
	var f Failure
	found := make([]string, len(unlocated)+1)
	place := [2]string{}
	err := eachLine(log, func(line string) {
		f.Last = append(f.Last, line)
		if len(f.Last) > lastLines {
			f.Last = f.Last[1:]
		}
		if m := executing.FindStringSubmatch(line); m != nil && m[1] != "%clean" {
			f.Phase = m[1]
		}
		f.DiskFull = f.DiskFull || diskFull.MatchString(line)
		if found[0] == "" {
			if m := located.FindStringSubmatch(line); m != nil {
				found[0], place = line, [2]string{m[1], m[2]}
			}
		}
		for i, group := range unlocated {
			if found[i+1] == "" && matches(group, line) {
				found[i+1] = line
			}
		}
	})
	f.choose(found, place)
	return f, err
}

// choose takes the most telling line; a full disk outranks every error that
// it caused.
func (f *Failure) choose(found []string, place [2]string) {
	if f.DiskFull && diskFull.MatchString(found[1]) {
		f.First = found[1]
		return
	}
	for i, line := range found {
		if line == "" {
			continue
		}
		f.First = strings.TrimSpace(line)
		if i == 0 {
			f.File = place[0]
			f.Line, _ = strconv.Atoi(place[1])
		}
		return
	}
}

func matches(group []*regexp.Regexp, line string) bool {
	if repeated.MatchString(line) {
		return false
	}
	for _, re := range group {
		if re.MatchString(line) {
			return true
		}
	}
	return false
}

// eachLine calls f with every line, cut to longLine bytes.
func eachLine(r io.Reader, f func(string)) error {
	br := bufio.NewReaderSize(r, longLine)
	for {
		line, err := br.ReadSlice('\n')
		text := strings.TrimRight(string(line), "\r\n")
		for err == bufio.ErrBufferFull {
			_, err = br.ReadSlice('\n')
		}
		if text != "" || err == nil {
			f(text)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
