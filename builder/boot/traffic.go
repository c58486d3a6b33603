package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Traffic is what a client in a guest does: it opens connections at a steady
// rate through a small range of ports and closes them at once. Each leaves its
// port in TIME_WAIT.
type Traffic struct {
	Ports   int `json:"ports"`
	Rate    int `json:"connectsPerSecond"`
	Seconds int `json:"seconds"` // by the guest's clock
}

// Check says what cannot be asked for: the ports are above 20000, and the guest
// makes some thousand connections a second.
func (t Traffic) Check() error {
	var wrong []error
	for _, v := range []struct {
		what      string
		n, lo, hi int
	}{{"ports", t.Ports, 10, 40000}, {"connects a second", t.Rate, 1, 1000}, {"seconds", t.Seconds, 1, 3600}} {
		if v.n < v.lo || v.n > v.hi {
			wrong = append(wrong, fmt.Errorf("%d %s: %d to %d was expected", v.n, v.what, v.lo, v.hi))
		}
	}
	return errors.Join(wrong...)
}

// Sample is where things stand at a moment of the guest's clock.
type Sample struct {
	Second int64 `json:"second"`
	// Waiting are the sockets in TIME_WAIT; Connected and Failed are all
	// connects until then.
	Waiting   int64 `json:"timeWait"`
	Connected int64 `json:"connected"`
	Failed    int64 `json:"failed"`
}

// Course is what came of the traffic on one kernel.
type Course struct {
	Release string `json:"release"`
	// TimeWait is the length of TIME_WAIT in seconds, as the kernel has it: the
	// default of tcp_fin_timeout.
	TimeWait int      `json:"timeWaitSeconds"`
	Samples  []Sample `json:"samples"`
	// Possible is the rate that the ports can sustain, Ports/TimeWait; Sustained
	// is the one that was measured with half as many connects again. Connects a
	// second.
	Possible  float64 `json:"possiblePerSecond"`
	Sustained float64 `json:"sustainedPerSecond"`
}

// FirstFailure is the second before whose end a connect first failed; -1: none did.
func (c Course) FirstFailure() int64 {
	for _, s := range c.Samples {
		if s.Failed > 0 {
			return s.Second
		}
	}
	return -1
}

// Last is the last sample.
func (c Course) Last() Sample {
	if len(c.Samples) == 0 {
		return Sample{}
	}
	return c.Samples[len(c.Samples)-1]
}

// NoCourseError says that a kernel did not bear the traffic to its end.
type NoCourseError struct {
	Release string
	Reason  string
}

func (e *NoCourseError) Error() string { return "measuring " + e.Release + ": " + e.Reason }

// Trial is what Measure measures.
type Trial struct {
	Kernel Kernel
	// Program is the compiled images/witness/traffic.c.
	Program []byte
	Machine Machine
	Traffic Traffic
	// Memory and Limit are the guest's; 0 is the default.
	Memory int64
	Limit  time.Duration
	// Tell hears of every sample, from another goroutine than the caller's.
	Tell func(Sample)
}

// Measure boots the kernel and lets the traffic run. Errors: *OptionsError,
// *NoCourseError, *QEMUError, those of the machine.
func Measure(ctx context.Context, t Trial) (Course, error) {
	if err := t.Kernel.Config.need(forSpeaking, forSockets, forSysctl); err != nil {
		return Course{}, err
	}
	order := fmt.Sprintf("%d %d %d\n", t.Traffic.Ports, t.Traffic.Rate, t.Traffic.Seconds)
	g := Guest{
		Kernel: t.Kernel.Image, Memory: t.Memory, Limit: t.Limit,
		Initramfs: Initramfs(File{Name: "init", Data: t.Program, Exec: true}, File{Name: "traffic", Data: []byte(order)}),
	}
	run, err := Boot(ctx, listened{t.Machine, t.Tell}, g)
	if err != nil {
		return Course{}, err
	}
	return readCourse(t, run)
}

// readCourse reads what a console said of the traffic.
func readCourse(t Trial, run Run) (Course, error) {
	c := Course{Release: t.Kernel.Release}
	ended := false
	for line := range strings.Lines(string(run.Console)) {
		said, ours := heard(line)
		word, rest, _ := strings.Cut(said, " ")
		n, numbers := integers(rest)
		switch {
		case !ours:
		case word == "cannot":
			return c, &NoCourseError{c.Release, cannot(rest)}
		case word == "fin-timeout" && numbers && len(n) == 1 && n[0] > 0:
			c.TimeWait = int(n[0])
			c.Possible = float64(t.Traffic.Ports) / float64(n[0])
		case word == "sample" && numbers && len(n) == 4:
			c.Samples = append(c.Samples, Sample{n[0] / 1000, n[1], n[2], n[3]})
		case word == "sustained" && numbers && len(n) == 2 && n[1] > 0:
			c.Sustained = float64(n[0]) * 1000 / float64(n[1])
		case said == "end":
			ended = true
		}
	}
	switch {
	case run.Ending != Reset:
		return c, &NoCourseError{c.Release, "the run ended with " + string(run.Ending)}
	case !ended || c.TimeWait == 0 || len(c.Samples) != t.Traffic.Seconds+1:
		return c, &NoCourseError{c.Release, "the kernel restarted before the traffic had ended"}
	}
	return c, nil
}

// listened is a machine to whose samples somebody listens.
type listened struct {
	Machine
	tell func(Sample)
}

func (l listened) Run(ctx context.Context, g Guest, serial io.Writer) error {
	return l.Machine.Run(ctx, g, io.MultiWriter(serial, &ear{tell: l.tell}))
}

// ear picks the samples out of a console while it speaks.
type ear struct {
	tell func(Sample)
	line []byte
}

func (e *ear) Write(p []byte) (int, error) {
	for _, b := range p {
		if b != '\n' {
			if len(e.line) < 256 {
				e.line = append(e.line, b)
			}
			continue
		}
		if said, ours := heard(string(e.line)); ours {
			e.hear(said)
		}
		e.line = e.line[:0]
	}
	return len(p), nil
}

func (e *ear) hear(said string) {
	rest, ok := strings.CutPrefix(said, "sample ")
	if n, numbers := integers(rest); ok && numbers && len(n) == 4 {
		e.tell(Sample{n[0] / 1000, n[1], n[2], n[3]})
	}
}

// perSecond writes a rate as a person reads it.
func perSecond(rate float64) string {
	if rate < 20 {
		return strconv.FormatFloat(rate, 'f', 1, 64)
	}
	return strconv.FormatFloat(rate, 'f', 0, 64)
}
