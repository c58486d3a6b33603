// Package buildlog reads what rpmbuild prints. A [Writer] tells the progress while rpmbuild
// runs; [ReadFailure] finds the reason after it failed.
package buildlog

import (
	"bufio"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// lastLines is the number of lines at the end of a log that a Failure has.
const lastLines = 12

// longLine limits the bytes of a line in memory. The rest of a longer line is ignored.
const longLine = 4096

// located matches the error of a compiler, assembler, Kconfig or rpm that names its place.
var located = regexp.MustCompile(`^(?:error: )?([^\s:][^:]*):(\d+):(?:\d+:)? (?:(?:fatal |internal compiler )?error: |Error: |undefined reference|multiple definition|bad |syntax error|parse error)`)

// unlocated match errors that name no place. A line that a group matches is preferred to those
// of later groups, wherever it is in the log. make's "***" and a plain "error:" only repeat that
// something failed.
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
	// repeated matches the line in which rpmbuild repeats that a phase has failed.
	repeated  = regexp.MustCompile(`^error: Bad exit status from `)
	executing = regexp.MustCompile(`^Executing\((%\w+)\)`)
	diskFull  = regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`)
)

// Failure is the reason why rpmbuild failed, as its log has it.
type Failure struct {
	// Phase is where rpmbuild failed (%prep, %build, …). It is empty before the first one.
	Phase string `json:"phase"`
	// First is the line of the first real error, or empty if none was found.
	First string `json:"first"`
	// File and Line are the place in the source tree that First names, if it names one.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// DiskFull reports that the log has an error of a full disk.
	DiskFull bool `json:"diskFull,omitempty"`
	// Last are the last 12 lines of the log.
	Last []string `json:"last"`
}

// ReadFailure reads the log of an rpmbuild that failed and finds the reason. The error is that
// of log.
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

// choose sets First to the most telling line. found has the first line of each group, that of
// located first; place is the place that it names. A full disk is preferred to every error that
// it has caused.
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

// matches reports whether a line is one of a group.
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

// eachLine calls f with every line of r, which has at most longLine bytes.
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
