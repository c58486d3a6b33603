package boot

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

// within is how far a length may be off. Every kernel rounds timers; the
// witness opens sockets so that one of them is hardly rounded.
const within = 500 * time.Millisecond

// taintWarn and taintDie are bits of /proc/sys/kernel/tainted
// (Documentation/admin-guide/tainted-kernels.rst).
const (
	taintDie  = 1 << 7
	taintWarn = 1 << 9
)

// judge compares what was expected with what was seen. Where the kernel did
// not get to an answer, only how it ended is told.
func judge(o Order, loads []load, e Ending, t Testimony) []Check {
	all := []Check{judgeEnd(e, o.limit(), t)}
	if !t.Started {
		return all
	}
	all = append(all, judgeRelease(o.Kernel.Release, t), judgeVersion(o, t))
	if o.Want.TimeWait > 0 {
		all = append(all, judgeTimeWait(o.Want.TimeWait, t))
	}
	if o.Want.FinTimeout > 0 {
		all = append(all, judgeFin(o.Want.FinTimeout, t))
	}
	for i, l := range loads {
		if l.Wanted && !l.altered {
			all = append(all, o.judgeModule(i, loads, t))
		}
	}
	return append(all, judgeConsole(o.Want.Allow, t))
}

// judgeEnd says how the run ended, which was at the limit at the latest.
func judgeEnd(e Ending, limit time.Duration, t Testimony) Check {
	c := Check{Name: "boot", Want: "boots, answers, powers off"}
	last := ""
	if i := slices.IndexFunc(t.Trouble, func(l string) bool { return strings.HasPrefix(l, panicMark) }); i >= 0 {
		last = t.Trouble[i]
	}
	switch {
	case e == Panicked:
		c.Got = "panics: " + strings.TrimPrefix(strings.TrimPrefix(last, panicMark), ": ")
	case e == TimedOut && !t.Started:
		c.Got = fmt.Sprintf("hangs: no word of the witness within the time limit of %v; %s", limit, t.last())
	case e == TimedOut:
		c.Got = fmt.Sprintf("hangs: the witness did not get to its end within the time limit of %v; %s", limit, t.last())
	case e == Flooded:
		c.Got = fmt.Sprintf("prints without end: more than %d MB", maxConsole>>20)
	case !t.Started:
		c.Got = "restarts without a word of the witness: a reboot loop on a machine"
	case !t.Ended:
		c.Got = "restarts before the witness got to its end"
	case len(t.Failed) > 0:
		c.Got = "answers in part: " + strings.Join(t.Failed, "; ")
	default:
		c.Got, c.Passed = c.Want, true
	}
	return c
}

func judgeRelease(want string, t Testimony) Check {
	return Check{"release", want, t.Release, t.Release == want}
}

// judgeVersion: /proc/version names the release (init/version.c), and what the
// recipe wants in it.
func judgeVersion(o Order, t Testimony) Check {
	want := "Linux version " + o.Kernel.Release + " "
	c := Check{"/proc/version", strings.TrimSpace(want), t.Version, strings.HasPrefix(t.Version, want)}
	if text := o.Want.Version; text != "" {
		c.Want += ", with " + fmt.Sprintf("%q", text)
		c.Passed = c.Passed && strings.Contains(t.Version, text)
	}
	return c
}

// judgeTimeWait takes the socket that lived most nearly as long as its timer was
// armed to: the one that the kernel's rounding touched least.
func judgeTimeWait(want int, t Testimony) Check {
	wanted := time.Duration(want) * time.Second
	c := Check{Name: "time-wait", Want: seconds(wanted), Got: "no socket was timed"}
	if len(t.Sockets) == 0 {
		return c
	}
	best, least, most, armed := t.Sockets[0], t.Sockets[0].lived(), t.Sockets[0].lived(), true
	for _, s := range t.Sockets {
		if s.LivedMS < 0 {
			c.Got = "a socket was still in TIME_WAIT after three times its time"
			return c
		}
		if off(s.lived(), s.armed()) < off(best.lived(), best.armed()) {
			best = s
		}
		least, most = min(least, s.lived()), max(most, s.lived())
		armed = armed && off(s.armed(), wanted) <= within
	}
	c.Got = fmt.Sprintf("%s (timer armed to %s; %d sockets lived %s to %s)",
		seconds(best.lived()), seconds(best.armed()), len(t.Sockets), seconds(least), seconds(most))
	c.Passed = armed && off(best.lived(), wanted) <= within
	return c
}

func off(a, b time.Duration) time.Duration { return (a - b).Abs() }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func judgeFin(want int, t Testimony) Check {
	c := Check{"tcp_fin_timeout", fmt.Sprintf("%d s", want), "not said", t.FinTimeout == want}
	if t.FinTimeout >= 0 {
		c.Got = fmt.Sprintf("%d s", t.FinTimeout)
	}
	return c
}

// judgeModule judges load i: it was loaded, and so was its signature accepted,
// by the kernel or by checkNote.
func (o Order) judgeModule(i int, loads []load, t Testimony) Check {
	m := loads[i].Module
	c := Check{Name: "module " + m.Name, Want: "loads"}
	if o.Want.Signed {
		c.Want += ", its signature is accepted"
	}
	code, said := t.Modules[i]
	switch {
	case !said:
		c.Got = "was not tried"
		return c
	case code != 0:
		c.Got = "is refused: " + errno(code)
		return c
	}
	c.Got, c.Passed = "loads", true
	if o.Want.Signed {
		by, err := o.judgeSignature(i, loads, t)
		if err != nil {
			by = err.Error()
		}
		c.Got, c.Passed = c.Got+", "+by, err == nil
	}
	return c
}

func (o Order) judgeSignature(i int, loads []load, t Testimony) (string, error) {
	m := loads[i].Module
	switch m.signing() {
	case unsigned:
		return "", fmt.Errorf("it is not signed")
	case noted:
		if o.Kernel.Config["MODULE_SIG"] != "y" {
			key, err := m.checkNote(o.Kernel.Keyring)
			return "signed by key " + key + " of kernel-devel", err
		}
	}
	if i == 0 || !loads[i-1].altered {
		return "", fmt.Errorf("no altered copy could be made to see whether the kernel judges signatures")
	}
	code, said := t.Modules[i-1]
	if !said || code == 0 {
		return "", fmt.Errorf("the kernel loads it with a bit turned over, too: it judges no signatures")
	}
	return "signature accepted by the kernel, an altered copy refused (" + errno(code) + ")", nil
}

// judgeConsole: no panic, no oops, no warning but those that the recipe allows.
func judgeConsole(allow []string, t Testimony) Check {
	c := Check{Name: "console", Want: "no panic, no oops, no warning", Got: "no panic, no oops, no warning", Passed: true}
	for _, line := range t.Trouble {
		if !slices.ContainsFunc(allow, func(a string) bool { return strings.Contains(line, a) }) {
			c.Got, c.Passed = line, false
			return c
		}
	}
	if len(allow) == 0 && t.Tainted > 0 && t.Tainted&(taintDie|taintWarn) != 0 {
		c.Got, c.Passed = fmt.Sprintf("the kernel marks itself tainted (%d)", t.Tainted), false
	}
	return c
}

// errnos are those that loading a module or opening a socket may give; the
// numbers are Linux's on x86.
var errnos = map[int]string{126: "ENOKEY", 127: "EKEYEXPIRED", 128: "EKEYREVOKED", 129: "EKEYREJECTED"}

// errno is an error number as a person reads it.
func errno(n int) string {
	if name, ok := errnos[n]; ok {
		return name
	}
	return syscall.Errno(n).Error()
}
