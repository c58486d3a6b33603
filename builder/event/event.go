// Package event defines the events by which the library reports its progress.
//
// A function that can take long has a [Sink] among its arguments or options. It sends an
// [Event] when a [Step] begins, how far the step is, and what its result is. Every function
// takes a nil Sink, which drops the events. The calls of a Sink do not overlap, so that it
// needs no lock. The library prints nothing: the command decides how events look.
//
// An error of such a function is a [StepError], which says in which step it happened.
package event

import "fmt"

// Step names one of the things that a command does, in words for a person.
type Step string

// These are the steps of a build in their order. A step that has nothing to do (an image
// that exists, a source in the store) begins and ends as well.
const (
	Source    Step = "source"
	Prepare   Step = "prepare"
	Image     Step = "image"
	Container Step = "container"
	Upload    Step = "upload"
	Rpmbuild  Step = "rpmbuild"
	Collect   Step = "collect"
	// Compare is the last step of a rebuild. It compares what was built with what was
	// published.
	Compare Step = "compare"
)

// These are the steps of a boot and of a bench, in their order.
const (
	Kernel  Step = "kernel"
	Witness Step = "witness"
	Machine Step = "machine"
	Boot    Step = "boot"
	// Measure is a bench's step for each kernel, instead of Boot.
	Measure Step = "measure"
)

// These are the steps of a release, and of what follows it.
const (
	Gate       Step = "gate"
	Sign       Step = "sign"
	Repository Step = "repodata"
	SBOM       Step = "sbom"
	Provenance Step = "statement"
	Records    Step = "records"
	Digests    Step = "digests"
	Verify     Step = "verify"
	Push       Step = "push"
	Pull       Step = "pull"
)

// Kind says what an Event is.
type Kind string

// These are the kinds of events.
const (
	// Begin and End enclose a step. The text of Begin says what the step is about, the
	// text of End what its result is.
	Begin Kind = "begin"
	End   Kind = "end"
	// Progress says how much is done: Done of Total in Unit. A Total of 0 is unknown.
	Progress Kind = "progress"
	// Phase names in Text a part of the step that begins: rpmbuild's %prep, an
	// instruction of an image build.
	Phase Kind = "phase"
	// Output is a line that an instruction of an image build printed.
	Output Kind = "output"
	// Note is a fact that belongs into a log.
	Note Kind = "note"
	// Warning is a fact that the user should see.
	Warning Kind = "warning"
)

// These are the units of a Progress event.
const (
	Bytes   = "bytes"
	Objects = "objects"
	Seconds = "seconds" // of a guest's clock
)

// Event is one message of a step.
type Event struct {
	Kind  Kind   `json:"event"`
	Step  Step   `json:"step,omitempty"`
	Text  string `json:"text,omitempty"`
	Done  int64  `json:"done,omitempty"`
	Total int64  `json:"total,omitempty"`
	Unit  string `json:"unit,omitempty"`
}

// Sink receives events. A nil Sink drops them.
type Sink func(Event)

// Tell sends an event.
func (s Sink) Tell(e Event) {
	if s != nil {
		s(e)
	}
}

// Say sends an event with a text, which it formats as fmt.Sprintf does.
func (s Sink) Say(k Kind, step Step, format string, args ...any) {
	s.Tell(Event{Kind: k, Step: step, Text: fmt.Sprintf(format, args...)})
}

// Progress sends how far a step is.
func (s Sink) Progress(step Step, done, total int64, unit string) {
	s.Tell(Event{Kind: Progress, Step: step, Done: done, Total: total, Unit: unit})
}

// Bytes returns a function that sends the progress of a step in bytes.
func (s Sink) Bytes(step Step) func(done, total int64) {
	return func(done, total int64) { s.Progress(step, done, total, Bytes) }
}

// Swept reports the removal of what earlier runs left on an engine. A failure is only a
// warning.
func (s Sink) Swept(removed int, err error) {
	if err != nil {
		s.Say(Warning, "", "removing what an earlier run left: %v", err)
	} else if removed > 0 {
		s.Say(Note, "", "removed %s of an earlier run", Count(removed, "leftover"))
	}
}

// StepError reports which step failed. It adds nothing to the text of Err.
type StepError struct {
	Step Step
	Err  error
}

func (e *StepError) Error() string { return e.Err.Error() }

// Unwrap returns the error of the step.
func (e *StepError) Unwrap() error { return e.Err }

// Count returns a number of things in words: 1 package, 4 packages.
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
