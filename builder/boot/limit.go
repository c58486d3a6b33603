package boot

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// LimitError says that a run came to no verdict: its caller gave it less time than
// DefaultLimit, and no answer until then was wrong. It is no evidence about the
// kernel, neither for it nor against it.
type LimitError struct {
	Limit time.Duration
	// Last is what the console showed last.
	Last string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("booting: no verdict within the time limit of %v; %s", e.Limit, e.Last)
}

// refuted says whether something that was seen or answered is wrong already.
func (o Order) refuted(loads []load, t Testimony) bool {
	if len(t.Failed) > 0 || !judgeConsole(o.Want.Allow, t).Passed {
		return true
	}
	var said []Check
	if t.Release != "" {
		said = append(said, judgeRelease(o.Kernel.Release, t))
	}
	if t.Version != "" {
		said = append(said, judgeVersion(o, t))
	}
	if t.FinTimeout >= 0 && o.Want.FinTimeout > 0 {
		said = append(said, judgeFin(o.Want.FinTimeout, t))
	}
	if len(t.Sockets) > 0 && o.Want.TimeWait > 0 {
		said = append(said, judgeTimeWait(o.Want.TimeWait, t))
	}
	for i, l := range loads {
		if _, tried := t.Modules[i]; tried && l.Wanted && !l.altered {
			said = append(said, o.judgeModule(i, loads, t))
		}
	}
	return slices.ContainsFunc(said, func(c Check) bool { return !c.Passed })
}

// wholeLines is a console without the line that the end tore.
func wholeLines(console []byte) []byte { return console[:bytes.LastIndexByte(console, '\n')+1] }

// last tells of the last line of a console, at most 80 characters of it.
func (t Testimony) last() string {
	if t.Last == "" {
		return "the console showed nothing"
	}
	return fmt.Sprintf("the console's last line is %.80q", t.Last)
}
