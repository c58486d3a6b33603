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

// Traffic describes what a client in a guest does: it opens connections at a
// steady rate through a small range of ports and closes them at once. Each of them
// leaves its port in TIME_WAIT.
type Traffic struct {
	Ports   int `json:"ports"`
	Rate    int `json:"connectsPerSecond"`
	Seconds int `json:"seconds"` // by the guest's clock
}

// Check reports the values that are out of range: the ports begin at 20000, and a
// guest makes some thousand connections a second.
func (t Traffic) Check() error {
	var wrong []error
	for _, v := range []struct {
		what      string
		n, lo, hi int
	}{{"ports", t.Ports, 10, 40000}, {"connects a second", t.Rate, 1, 1000}, {"seconds", t.Seconds, 1, 3600}} {
		if v.n < v.lo || v.n > v.hi {
			wrong = append(wrong, fmt.Errorf("%d %s: must be %d to %d", v.n, v.what, v.lo, v.hi))
		}
	}
	return errors.Join(wrong...)
}

// Sample holds the counts at a moment of the guest's clock.
type Sample struct {
	Second int64 `json:"second"`
	// Waiting counts the sockets in TIME_WAIT; Connected and Failed count all
	// connects until then.
	Waiting   int64 `json:"timeWait"`
	Connected int64 `json:"connected"`
	Failed    int64 `json:"failed"`
}

// Course is the course of the traffic on one kernel.
type Course struct {
	Release string `json:"release"`
	// TimeWait is the length of TIME_WAIT in seconds: the kernel's default of
	// tcp_fin_timeout.
	TimeWait int      `json:"timeWaitSeconds"`
	Samples  []Sample `json:"samples"`
	// Possible is the rate that the ports can sustain, Ports/TimeWait. Sustained
	// is the rate of successful connects that was measured while the client tried
	// 1.5 times as many. Both are connects a second.
	Possible  float64 `json:"possiblePerSecond"`
	Sustained float64 `json:"sustainedPerSecond"`
}

// FirstFailure returns the first second by which a connect had failed, or -1 if
// none failed.
func (c Course) FirstFailure() int64 {
	for _, s := range c.Samples {
		if s.Failed > 0 {
			return s.Second
		}
	}
	return -1
}

// Last returns the last sample, or an empty one if there is none.
func (c Course) Last() Sample {
	if len(c.Samples) == 0 {
		return Sample{}
	}
	return c.Samples[len(c.Samples)-1]
}

// NoCourseError reports that a kernel did not get to the end of the traffic.
type NoCourseError struct {
	Release string
	Reason  string
}

func (e *NoCourseError) Error() string { return "measuring " + e.Release + ": " + e.Reason }

// Trial says what Measure is to measure.
type Trial struct {
	Kernel Kernel
	// Program is the compiled images/witness/traffic.c.
	Program []byte
	Machine Machine
	Traffic Traffic
	// Memory (bytes) and Limit are the guest's; 0 is the default.
	Memory int64
	Limit  time.Duration
	// Tell is called with every sample, from another goroutine than the caller's.
	Tell func(Sample)
}

// Measure boots the kernel and runs the traffic on it. Errors: *OptionsError,
// *NoCourseError, *QEMUError, those of the machine.
func Measure(ctx context.Context, t Trial) (Course, error) {
	if err := t.Kernel.Config.require(forWitness, forSockets, forSysctl); err != nil {
		return Course{}, err
	}
	request := fmt.Sprintf("%d %d %d\n", t.Traffic.Ports, t.Traffic.Rate, t.Traffic.Seconds)
	g := Guest{
		Kernel: t.Kernel.Image, Memory: t.Memory, Limit: t.Limit,
		Initramfs: Initramfs(File{Name: "init", Data: t.Program, Exec: true}, File{Name: "traffic", Data: []byte(request)}),
	}
	run, err := Boot(ctx, watched{t.Machine, t.Tell}, g)
	if err != nil {
		return Course{}, err
	}
	return readCourse(t, run)
}

// readCourse reads the course of the traffic from a console's log.
func readCourse(t Trial, run Run) (Course, error) {
	c := Course{Release: t.Kernel.Release}
	ended := false
	for line := range strings.Lines(string(run.Console)) {
		text, ours := parseLine(line)
		word, rest, _ := strings.Cut(text, " ")
		n, numbers := integers(rest)
		switch {
		case !ours:
		case word == "cannot":
			return c, &NoCourseError{c.Release, failureText(rest)}
		case word == "fin-timeout" && numbers && len(n) == 1 && n[0] > 0:
			c.TimeWait = int(n[0])
			c.Possible = float64(t.Traffic.Ports) / float64(n[0])
		case word == "sample" && numbers && len(n) == 4:
			c.Samples = append(c.Samples, Sample{n[0] / 1000, n[1], n[2], n[3]})
		case word == "sustained" && numbers && len(n) == 2 && n[1] > 0:
			c.Sustained = float64(n[0]) * 1000 / float64(n[1])
		case text == "end":
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

// watched is a machine that tells of every sample on the console.
type watched struct {
	Machine
	tell func(Sample)
}

func (w watched) Run(ctx context.Context, g Guest, serial io.Writer) error {
	return w.Machine.Run(ctx, g, io.MultiWriter(serial, &sampleScanner{tell: w.tell}))
}

// sampleScanner finds the samples in the output of a console while it is written.
type sampleScanner struct {
	tell func(Sample)
	line []byte
}

func (r *sampleScanner) Write(p []byte) (int, error) {
	for _, b := range p {
		if b != '\n' {
			if len(r.line) < 256 {
				r.line = append(r.line, b)
			}
			continue
		}
		if text, ours := parseLine(string(r.line)); ours {
			r.read(text)
		}
		r.line = r.line[:0]
	}
	return len(p), nil
}

// read reads a line of the client and tells of it if it is a sample.
func (r *sampleScanner) read(text string) {
	rest, ok := strings.CutPrefix(text, "sample ")
	if n, numbers := integers(rest); ok && numbers && len(n) == 4 {
		r.tell(Sample{n[0] / 1000, n[1], n[2], n[3]})
	}
}

// perSecond formats a rate for a person.
func perSecond(rate float64) string {
	if rate < 20 {
		return strconv.FormatFloat(rate, 'f', 1, 64)
	}
	return strconv.FormatFloat(rate, 'f', 0, 64)
}
