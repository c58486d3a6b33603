package boot

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tolerance is how far a measured time may be from the wanted one. Every kernel
// rounds timers; the witness opens its sockets at times that leave one of them
// hardly rounded.
const tolerance = 500 * time.Millisecond

// taintDie and taintWarn are the bits of an oops and of a warning in
// /proc/sys/kernel/tainted
// (Documentation/admin-guide/tainted-kernels.rst).
const (
	taintDie  = 1 << 7
	taintWarn = 1 << 9
)

// check compares what was wanted with what was observed. If the witness never
// started, it checks only how the run ended.
func check(o Order, attempts []attempt, e Ending, obs observation) []Check {
	all := []Check{checkEnd(e, o.limit(), obs)}
	if !obs.Started {
		return all
	}
	all = append(all, checkRelease(o.Kernel.Release, obs), checkVersion(o, obs))
	if o.Want.TimeWait > 0 {
		all = append(all, checkTimeWait(o.Want.TimeWait, obs))
	}
	if o.Want.FinTimeout > 0 {
		all = append(all, checkFinTimeout(o.Want.FinTimeout, obs))
	}
	for i, a := range attempts {
		if a.Wanted && !a.damaged {
			all = append(all, o.checkModule(i, attempts, obs))
		}
	}
	return append(all, checkConsole(o.Want.Allow, obs))
}

// checkEnd checks how the run ended.
func checkEnd(e Ending, limit time.Duration, obs observation) Check {
	c := Check{Name: "boot", Want: "boots, answers, powers off"}
	last := ""
	if i := slices.IndexFunc(obs.Trouble, func(l string) bool { return strings.HasPrefix(l, panicMark) }); i >= 0 {
		last = obs.Trouble[i]
	}
	switch {
	case e == Panicked:
		c.Got = "panics: " + strings.TrimPrefix(strings.TrimPrefix(last, panicMark), ": ")
	case e == TimedOut && !obs.Started:
		c.Got = fmt.Sprintf("hangs: the witness printed nothing within the time limit of %v; %s", limit, obs.last())
	case e == TimedOut:
		c.Got = fmt.Sprintf("hangs: the witness did not finish within the time limit of %v; %s", limit, obs.last())
	case e == Flooded:
		c.Got = fmt.Sprintf("prints without end: more than %d MB", maxConsole>>20)
	case !obs.Started:
		c.Got = "restarts before the witness prints anything, so a machine would reboot in a loop"
	case !obs.Ended:
		c.Got = "restarts before the witness finishes"
	case len(obs.Failed) > 0:
		c.Got = "answers in part: " + strings.Join(obs.Failed, "; ")
	default:
		c.Got, c.Passed = c.Want, true
	}
	return c
}

// checkRelease checks the release that uname -r prints.
func checkRelease(want string, obs observation) Check {
	return Check{"release", want, obs.Release, obs.Release == want}
}

// checkVersion checks that /proc/version names the release (init/version.c) and
// holds the text that the recipe wants.
func checkVersion(o Order, obs observation) Check {
	want := "Linux version " + o.Kernel.Release + " "
	c := Check{"/proc/version", versionDemand(o.Kernel.Release, o.Want.Version), obs.Version, strings.HasPrefix(obs.Version, want)}
	if text := o.Want.Version; text != "" {
		c.Passed = c.Passed && strings.Contains(obs.Version, text)
	}
	return c
}

// checkTimeWait checks the timers of all sockets, and the lifetime of the socket
// whose lifetime is nearest to its timer: the kernel rounded that one least.
func checkTimeWait(want int, obs observation) Check {
	wanted := time.Duration(want) * time.Second
	c := Check{Name: "time-wait", Want: seconds(wanted), Got: "no socket was timed"}
	if len(obs.Sockets) == 0 {
		return c
	}
	best, least, most, armed := obs.Sockets[0], obs.Sockets[0].lived(), obs.Sockets[0].lived(), true
	for _, s := range obs.Sockets {
		if s.LivedMS < 0 {
			c.Got = "a socket was still in TIME_WAIT after three times its time"
			return c
		}
		if difference(s.lived(), s.armed()) < difference(best.lived(), best.armed()) {
			best = s
		}
		least, most = min(least, s.lived()), max(most, s.lived())
		armed = armed && difference(s.armed(), wanted) <= tolerance
	}
	c.Got = fmt.Sprintf("%s (timer armed to %s; %d sockets lived %s to %s)",
		seconds(best.lived()), seconds(best.armed()), len(obs.Sockets), seconds(least), seconds(most))
	c.Passed = armed && difference(best.lived(), wanted) <= tolerance
	return c
}

// difference returns how far two times are apart.
func difference(a, b time.Duration) time.Duration { return (a - b).Abs() }

// seconds formats a time as seconds with two decimals.
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// checkFinTimeout checks the default of tcp_fin_timeout.
func checkFinTimeout(want int, obs observation) Check {
	c := Check{"tcp_fin_timeout", fmt.Sprintf("%d s", want), "not reported", obs.FinTimeout == want}
	if obs.FinTimeout >= 0 {
		c.Got = fmt.Sprintf("%d s", obs.FinTimeout)
	}
	return c
}

// checkModule checks that attempt i loaded its module and, if that is wanted,
// that the kernel or verifyNote accepts its signature.
func (o Order) checkModule(i int, attempts []attempt, obs observation) Check {
	m := attempts[i].Module
	c := Check{Name: "module " + m.Name, Want: moduleDemand(o.Want.Signed)}
	code, tried := obs.Modules[i]
	switch {
	case !tried:
		c.Got = "was not tried"
		return c
	case code != 0:
		c.Got = "is refused: " + errno(code)
		return c
	}
	c.Got, c.Passed = "loads", true
	if o.Want.Signed {
		by, err := o.checkSignature(i, attempts, obs)
		if err != nil {
			by = err.Error()
		}
		c.Got, c.Passed = c.Got+", "+by, err == nil
	}
	return c
}

// checkSignature returns who accepts the signature of the module of attempt i.
func (o Order) checkSignature(i int, attempts []attempt, obs observation) (string, error) {
	m := attempts[i].Module
	switch m.signing() {
	case unsigned:
		return "", fmt.Errorf("it is not signed")
	case noted:
		if o.Kernel.Config["MODULE_SIG"] != "y" {
			key, err := m.verifyNote(o.Kernel.Keyring)
			return "signed by key " + key + " of kernel-devel", err
		}
	}
	if i == 0 || !attempts[i-1].damaged {
		return "", fmt.Errorf("no damaged copy could be made to see whether the kernel verifies signatures")
	}
	code, tried := obs.Modules[i-1]
	if !tried || code == 0 {
		return "", fmt.Errorf("the kernel loads a damaged copy too, so it verifies no signatures")
	}
	return "signature accepted by the kernel, a damaged copy refused (" + errno(code) + ")", nil
}

// checkConsole checks that the console shows no panic, no oops and no warning
// but those that the recipe allows.
func checkConsole(allow []string, obs observation) Check {
	c := Check{Name: "console", Want: "no panic, no oops, no warning", Got: "no panic, no oops, no warning", Passed: true}
	for _, line := range obs.Trouble {
		if !slices.ContainsFunc(allow, func(a string) bool { return strings.Contains(line, a) }) {
			c.Got, c.Passed = line, false
			return c
		}
	}
	if len(allow) == 0 && obs.Tainted > 0 && obs.Tainted&(taintDie|taintWarn) != 0 {
		c.Got, c.Passed = fmt.Sprintf("the kernel marks itself tainted (%d)", obs.Tainted), false
	}
	return c
}

// errnos names the errors with which Linux refuses a module for its signature,
// by their numbers on x86.
var errnos = map[int]string{126: "ENOKEY", 127: "EKEYEXPIRED", 128: "EKEYREVOKED", 129: "EKEYREJECTED"}

// errno formats an error number for a person.
func errno(n int) string {
	if name, ok := errnos[n]; ok {
		return name
	}
	return syscall.Errno(n).Error()
}
