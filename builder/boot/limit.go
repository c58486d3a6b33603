package boot

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// LimitError reports a run without a verdict: it had less time than DefaultLimit,
// and no answer until then was wrong. It says nothing for or against the kernel.
type LimitError struct {
	Limit time.Duration
	// Last tells of the last line on the console.
	Last string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("booting: no verdict within the time limit of %v; %s", e.Limit, e.Last)
}

// refuted reports whether something that was observed is wrong already, so that
// more time could not make the kernel pass.
func (o Order) refuted(attempts []attempt, obs observation) bool {
	if len(obs.Failed) > 0 || !checkConsole(o.Want.Allow, obs).Passed {
		return true
	}
	var done []Check
	if obs.Release != "" {
		done = append(done, checkRelease(o.Kernel.Release, obs))
	}
	if obs.Version != "" {
		done = append(done, checkVersion(o, obs))
	}
	if obs.FinTimeout >= 0 && o.Want.FinTimeout > 0 {
		done = append(done, checkFinTimeout(o.Want.FinTimeout, obs))
	}
	if len(obs.Sockets) > 0 && o.Want.TimeWait > 0 {
		done = append(done, checkTimeWait(o.Want.TimeWait, obs))
	}
	for i, a := range attempts {
		if _, tried := obs.Modules[i]; tried && a.Wanted && !a.damaged {
			done = append(done, o.checkModule(i, attempts, obs))
		}
	}
	return slices.ContainsFunc(done, func(c Check) bool { return !c.Passed })
}

// wholeLines returns a console's log without a last line that was cut off.
func wholeLines(console []byte) []byte { return console[:bytes.LastIndexByte(console, '\n')+1] }

// last tells of the last line on the console, with at most 80 characters of it.
func (obs observation) last() string {
	if obs.Last == "" {
		return "the console showed nothing"
	}
	return fmt.Sprintf("the console's last line is %.80q", obs.Last)
}
