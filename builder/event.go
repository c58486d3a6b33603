package builder

import "fmt"

// Step names one of the things Build does, in the words a person reads.
type Step string

// The steps of a build in their order; a step that has nothing to do (an image
// that is there, a source in the store) begins and ends all the same.
const (
	StepSource  Step = "source"
	StepPrepare Step = "prepare"
	StepImage   Step = "image"
	StepStart   Step = "container"
	StepUpload  Step = "upload"
	StepBuild   Step = "rpmbuild"
	StepCollect Step = "collect"
	// StepCompare is rebuild's last: what was built against what was published.
	StepCompare Step = "compare"
)

// The steps of a boot in their order.
const (
	StepKernel  Step = "kernel"
	StepWitness Step = "witness"
	StepMachine Step = "machine"
	StepBoot    Step = "boot"
)

// The steps of what comes after a build.
const (
	StepGate       Step = "gate"
	StepSign       Step = "sign"
	StepRepository Step = "repodata"
	StepBill       Step = "sbom"
	StepProvenance Step = "statement"
	StepPapers     Step = "papers"
	StepSums       Step = "digests"
	StepVerify     Step = "verify"
)

// StepMeasure is what Bench does with each kernel behind the first three.
const StepMeasure Step = "measure"

// Kind tells what an Event is.
type Kind string

const (
	// Begin and End enclose a step. Text of Begin says what it is about, of
	// End what came of it.
	Begin Kind = "begin"
	End   Kind = "end"
	// Progress carries Done of Total in Unit; a Total of 0 is not known.
	Progress Kind = "progress"
	// Phase says in Text what the step is at: rpmbuild's %prep, an image
	// build's instruction.
	Phase Kind = "phase"
	// Output is a line that an image build's instruction printed.
	Output Kind = "output"
	// Note is a fact for the log.
	Note Kind = "note"
	// Warning is a fact the user should see.
	Warning Kind = "warning"
)

// Units of a Progress event.
const (
	Bytes   = "bytes"
	Objects = "objects"
	Seconds = "seconds" // by a guest's clock
)

// Event is what a build tells while it runs. Events come from one goroutine
// at a time, in order.
type Event struct {
	Kind  Kind   `json:"event"`
	Step  Step   `json:"step,omitempty"`
	Text  string `json:"text,omitempty"`
	Done  int64  `json:"done,omitempty"`
	Total int64  `json:"total,omitempty"`
	Unit  string `json:"unit,omitempty"`
}

// count is a number of things in words: 1 package, 4 packages.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
