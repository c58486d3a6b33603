// Package event is what the steps of namibuild tell while they run.
//
// A function that takes long takes a [Sink] and tells it when a step begins, how
// far it is and what came of it. A nil Sink is one that nobody listens to, in every
// function alike. The events of one call do not overlap: a Sink needs no lock.
package event

import "fmt"

// Step names one of the things that a command does, in the words a person reads.
type Step string

// The steps of a build in their order. A step that has nothing to do (an image
// that exists, a source in the store) begins and ends all the same.
const (
	Source    Step = "source"
	Prepare   Step = "prepare"
	Image     Step = "image"
	Container Step = "container"
	Upload    Step = "upload"
	Rpmbuild  Step = "rpmbuild"
	Collect   Step = "collect"
	// Compare is the last step of a rebuild: what was built against what was
	// published.
	Compare Step = "compare"
)

// The steps of a boot and of a bench, in their order.
const (
	Kernel  Step = "kernel"
	Witness Step = "witness"
	Machine Step = "machine"
	Boot    Step = "boot"
	// Measure is what a bench does with each kernel in the place of Boot.
	Measure Step = "measure"
)

// The steps of a release, and of what follows it.
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

// Kind tells what an Event is.
type Kind string

// The kinds of events.
const (
	// Begin and End enclose a step. The text of Begin says what the step is about,
	// that of End what came of it.
	Begin Kind = "begin"
	End   Kind = "end"
	// Progress carries Done of Total in Unit. A Total of 0 is not known.
	Progress Kind = "progress"
	// Phase says in Text where the step is: rpmbuild's %prep, an instruction of an
	// image build.
	Phase Kind = "phase"
	// Output is a line that an instruction of an image build printed.
	Output Kind = "output"
	// Note is a fact for the log.
	Note Kind = "note"
	// Warning is a fact that the user should see.
	Warning Kind = "warning"
)

// The units of a Progress event.
const (
	Bytes   = "bytes"
	Objects = "objects"
	Seconds = "seconds" // by a guest's clock
)

// Event is one thing that a step tells.
type Event struct {
	Kind  Kind   `json:"event"`
	Step  Step   `json:"step,omitempty"`
	Text  string `json:"text,omitempty"`
	Done  int64  `json:"done,omitempty"`
	Total int64  `json:"total,omitempty"`
	Unit  string `json:"unit,omitempty"`
}

// Sink takes events. A nil Sink drops them.
type Sink func(Event)

// Tell sends an event.
func (s Sink) Tell(e Event) {
	if s != nil {
		s(e)
	}
}

// Say sends an event that is a text, formatted as fmt.Sprintf does.
func (s Sink) Say(k Kind, step Step, format string, args ...any) {
	s.Tell(Event{Kind: k, Step: step, Text: fmt.Sprintf(format, args...)})
}

// Progress sends how far a step is.
func (s Sink) Progress(step Step, done, total int64, unit string) {
	s.Tell(Event{Kind: Progress, Step: step, Done: done, Total: total, Unit: unit})
}

// Bytes gives a function that sends the progress of a step which counts bytes.
func (s Sink) Bytes(step Step) func(done, total int64) {
	return func(done, total int64) { s.Progress(step, done, total, Bytes) }
}

// Swept sends what came of removing what earlier runs left on an engine. A failure is only
// a warning.
func (s Sink) Swept(removed int, err error) {
	if err != nil {
		s.Say(Warning, "", "removing what an earlier run left: %v", err)
	} else if removed > 0 {
		s.Say(Note, "", "removed %s of an earlier run", Count(removed, "leftover"))
	}
}

// StepError says which step failed. It adds nothing to the text of Err.
type StepError struct {
	Step Step
	Err  error
}

func (e *StepError) Error() string { return e.Err.Error() }

// Unwrap gives the error of the step.
func (e *StepError) Unwrap() error { return e.Err }

// Count gives a number of things in words: 1 package, 4 packages.
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
