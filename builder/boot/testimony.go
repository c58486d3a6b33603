package boot

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Testimony is what the witness said (images/witness/witness.c has the form of
// its lines) and what else the console showed.
type Testimony struct {
	Release string
	Version string
	// FinTimeout is in seconds; -1: not said.
	FinTimeout int
	// Modules are the errnos with which modules were refused, 0: loaded, by
	// their number.
	Modules map[int]int
	Sockets []Socket
	// Tainted is the kernel's mark of what went wrong in it; -1: not said.
	Tainted int64
	// Failed are the things that the witness could not do.
	Failed []string
	// Started and Ended say that the witness spoke, and to its end.
	Started, Ended bool
	// Last is the last line that the console showed, whoever spoke.
	Last string
	// Trouble are the lines of a panic, an oops or a warning, in their order.
	Trouble []string
}

// Socket is one socket's stay in TIME_WAIT, by the guest's clock.
type Socket struct {
	// ArmedMS is what its timer was set to, LivedMS how long it was there, in
	// milliseconds; negative: it was still there in the end.
	ArmedMS int64 `json:"armedMs"`
	LivedMS int64 `json:"livedMs"`
}

func (s Socket) armed() time.Duration { return time.Duration(s.ArmedMS) * time.Millisecond }
func (s Socket) lived() time.Duration { return time.Duration(s.LivedMS) * time.Millisecond }

// stamp is what printk may put before a line: its level, the time, the CPU.
var stamp = regexp.MustCompile(`^(?:<\d+>)?(?:\[ *\d+\.\d+\](?:\[ *[CT]\d+\])? ?)?`)

// trouble are the beginnings of lines with which Linux 2.6.32 to 6.x reports
// that something is wrong in it (kernel/panic.c, lib/bug.c, arch/x86/kernel/dumpstack.c,
// arch/x86/mm/fault.c, kernel/watchdog.c, kernel/hung_task.c, kernel/rcu).
var trouble = regexp.MustCompile(`^(?:Kernel panic - not syncing|WARNING: |BUG: |kernel BUG at |Oops: |Oops\b|double fault: |general protection fault|` +
	`INFO: (?:task .* blocked|rcu_.* detected|possible |suspicious )|rcu: INFO: |Unable to handle kernel|invalid opcode: |divide error: |` +
	`watchdog: BUG|UBSAN: |KASAN: |traps: PANIC|NMI watchdog: (?:BUG|Watchdog detected))`)

const voice = "@namibuild "

// readConsole reads what a serial console said.
func readConsole(log []byte) Testimony {
	t := Testimony{FinTimeout: -1, Tainted: -1, Modules: map[int]int{}}
	for line := range strings.Lines(string(log)) {
		said, ours := heard(line)
		t.Last = cmp.Or(strings.TrimSpace(said), t.Last)
		if ours {
			t.Started = true
			t.hear(said)
		} else if trouble.MatchString(said) {
			t.Trouble = append(t.Trouble, said)
		}
	}
	return t
}

// heard is what a line of a console says, and whether a program of ours says it.
func heard(line string) (said string, ours bool) {
	line = strings.TrimRight(line, "\r\n")
	return strings.CutPrefix(line[len(stamp.FindString(line)):], voice)
}

// hear takes one line of the witness in. One that makes no sense counts as a
// failure: it is torn, or no witness of ours.
func (t *Testimony) hear(said string) {
	word, rest, _ := strings.Cut(said, " ")
	n, numbers := integers(rest)
	switch {
	case word == "release" && rest != "":
		t.Release = rest
	case word == "version" && rest != "":
		t.Version = rest
	case word == "fin-timeout" && numbers && len(n) == 1:
		t.FinTimeout = int(n[0])
	case word == "module" && numbers && len(n) == 2:
		t.Modules[int(n[0])] = int(n[1])
	case word == "socket" && numbers && len(n) == 3:
		t.Sockets = append(t.Sockets, Socket{n[1], n[2]})
	case word == "tainted" && numbers && len(n) == 1:
		t.Tainted = n[0]
	case word == "cannot":
		t.Failed = append(t.Failed, cannot(rest))
	case said == "end":
		t.Ended = true
	default:
		t.Failed = append(t.Failed, fmt.Sprintf("a line that is no witness's: %.80q", said))
	}
}

// cannot writes a failure with the name of its errno.
func cannot(rest string) string {
	i := strings.LastIndexByte(rest, ' ')
	if n, err := strconv.Atoi(rest[i+1:]); err == nil && i > 0 {
		return rest[:i] + ": " + errno(n)
	}
	return rest
}

func integers(s string) ([]int64, bool) {
	var all []int64
	for _, f := range strings.Fields(s) {
		n, err := strconv.ParseInt(f, 10, 62)
		if err != nil || n > 1<<40 || n < -1<<40 {
			return nil, false
		}
		all = append(all, n)
	}
	return all, true
}
