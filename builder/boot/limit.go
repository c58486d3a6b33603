package boot

import (
	"fmt"
	"time"
)

// LimitError says that a run came to no verdict: its caller gave it less time than
// DefaultLimit, and nothing was wrong until then. It is no evidence about the
// kernel, neither for it nor against it.
type LimitError struct {
	Limit time.Duration
	// Last is what the console showed last.
	Last string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("booting: no verdict within the time limit of %v; %s", e.Limit, e.Last)
}

// last tells of the last line of a console, at most 80 characters of it.
func (t Testimony) last() string {
	if t.Last == "" {
		return "the console showed nothing"
	}
	return fmt.Sprintf("the console's last line is %.80q", t.Last)
}
