package boot

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// observation is what the console of a guest showed: the answers of the witness,
// whose lines images/witness/witness.c describes, and the kernel's complaints.
type observation struct {
	Release string
	Version string
	// FinTimeout is in seconds; -1 if it was not reported.
	FinTimeout int
	// Modules holds the error number of each attempt to load a module, by the
	// index of the attempt; 0 says that the module was loaded.
	Modules map[int]int
	Sockets []Socket
	// Tainted is /proc/sys/kernel/tainted, the kernel's record of what went
	// wrong in it; -1 if it was not reported.
	Tainted int64
	// Failed lists what the witness could not do.
	Failed []string
	// Started says that the witness printed something, Ended that it finished.
	Started, Ended bool
	// Last is the last line on the console, of the witness or of the kernel.
	Last string
	// Trouble holds the lines of panics, oopses and warnings, in their order.
	Trouble []string
}

// Socket is one socket's stay in TIME_WAIT, by the guest's clock.
type Socket struct {
	// ArmedMS is what its timer was set to, LivedMS how long it existed, both in
	// milliseconds. LivedMS is negative if it still existed in the end.
	ArmedMS int64 `json:"armedMs"`
	LivedMS int64 `json:"livedMs"`
}

func (s Socket) armed() time.Duration { return time.Duration(s.ArmedMS) * time.Millisecond }
func (s Socket) lived() time.Duration { return time.Duration(s.LivedMS) * time.Millisecond }

// stamp matches what printk may put before a line: the level, the time, the CPU.
var stamp = regexp.MustCompile(`^(?:<\d+>)?(?:\[ *\d+\.\d+\](?:\[ *[CT]\d+\])? ?)?`)

// trouble matches the beginnings of the lines with which Linux 2.6.32 to 6.x
// reports a fault of its own (kernel/panic.c, lib/bug.c, arch/x86/kernel/dumpstack.c,
// arch/x86/mm/fault.c, kernel/watchdog.c, kernel/hung_task.c, kernel/rcu).
var trouble = regexp.MustCompile(`^(?:Kernel panic - not syncing|WARNING: |BUG: |kernel BUG at |Oops: |Oops\b|double fault: |general protection fault|` +
	`INFO: (?:task .* blocked|rcu_.* detected|possible |suspicious )|rcu: INFO: |Unable to handle kernel|invalid opcode: |divide error: |` +
	`watchdog: BUG|UBSAN: |KASAN: |traps: PANIC|NMI watchdog: (?:BUG|Watchdog detected))`)

// marker begins each line that a program of images/witness prints.
const marker = "@namibuild "

// readConsole reads the log of a serial console.
func readConsole(log []byte) observation {
	obs := observation{FinTimeout: -1, Tainted: -1, Modules: map[int]int{}}
	for line := range strings.Lines(string(log)) {
		text, ours := parseLine(line)
		obs.Last = cmp.Or(strings.TrimSpace(text), obs.Last)
		if ours {
			obs.Started = true
			obs.add(text)
		} else if trouble.MatchString(text) {
			obs.Trouble = append(obs.Trouble, text)
		}
	}
	return obs
}

// parseLine returns the text of a line of a console, without printk's stamp and
// without the marker, and whether it had the marker.
func parseLine(line string) (text string, ours bool) {
	line = strings.TrimRight(line, "\r\n")
	return strings.CutPrefix(line[len(stamp.FindString(line)):], marker)
}

// add adds one line of the witness. A line of another form counts as a failure:
// it was cut, or the program is not this witness.
func (obs *observation) add(text string) {
	word, rest, _ := strings.Cut(text, " ")
	n, numbers := integers(rest)
	switch {
	case word == "release" && rest != "":
		obs.Release = rest
	case word == "version" && rest != "":
		obs.Version = rest
	case word == "fin-timeout" && numbers && len(n) == 1:
		obs.FinTimeout = int(n[0])
	case word == "module" && numbers && len(n) == 2:
		obs.Modules[int(n[0])] = int(n[1])
	case word == "socket" && numbers && len(n) == 3:
		obs.Sockets = append(obs.Sockets, Socket{n[1], n[2]})
	case word == "tainted" && numbers && len(n) == 1:
		obs.Tainted = n[0]
	case word == "cannot":
		obs.Failed = append(obs.Failed, failureText(rest))
	case text == "end":
		obs.Ended = true
	default:
		obs.Failed = append(obs.Failed, fmt.Sprintf("unknown line of the witness: %.80q", text))
	}
}

// failureText formats the rest of a line "cannot …", with a text for the error
// number at its end.
func failureText(rest string) string {
	i := strings.LastIndexByte(rest, ' ')
	if n, err := strconv.Atoi(rest[i+1:]); err == nil && i > 0 {
		return rest[:i] + ": " + errno(n)
	}
	return rest
}

// integers reads numbers that are separated by spaces. It returns false if one of
// them is not a number, or is larger than 2 to the power of 40.
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
