// Package boot boots a built kernel in QEMU, and proves that the changes of its
// recipe are in it.
//
// ReadKernel takes the kernel and its modules out of packages. Prove boots it
// with a witness, a C program without libc that runs as process 1 of the guest:
// it reports the release and the version of the kernel, loads modules, and times
// real sockets in TIME_WAIT by the guest's clock. Prove compares its answers with
// what the recipe wants. The Proof is written beside the packages, and Proven
// finds it there.
//
// Measure boots a kernel with a client instead, which opens connections at a
// steady rate. A Report compares two kernels in figures and in a chart.
//
// Both use the guest runner (Guest, Machine, Boot), which knows nothing of
// proofs: it takes a kernel, an initramfs, a command line and a time limit, and
// returns the log of the serial console and how the run ended. A Machine is the
// QEMU of this host (Host) or one in a container (Box); Compile compiles the
// program of process 1 in a builder image.
package boot

import (
	"cmp"
	"context"
	"time"

	"namibuild/builder/recipe"
)

// Check is one thing that was wanted of a kernel, and what was found.
type Check struct {
	Name   string `json:"name"`
	Want   string `json:"want"`
	Got    string `json:"got"`
	Passed bool   `json:"passed"`
}

// Package is a package file that the proof is about.
type Package struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// Proof is the record of one boot and its verdict.
type Proof struct {
	Form int `json:"form"` // ProofForm
	// Passed says that every check passed.
	Passed bool    `json:"passed"`
	Checks []Check `json:"checks"`
	Kernel Kernel  `json:"kernel"`
	// PlanID identifies the plan that the packages were built by; empty if it is
	// not known.
	PlanID string `json:"planID,omitempty"`
	// Packages holds all packages of the set.
	Packages []Package `json:"packages"`
	Ending   Ending    `json:"ending"`
	// Sockets holds the measurements behind the check time-wait.
	Sockets []Socket `json:"sockets,omitempty"`
	// Machine tells what ran the guest. Command is a line for a shell that runs
	// it again in a folder with its vmlinuz and its initramfs.
	Machine string `json:"machine"`
	Command string `json:"command"`
}

// Order says what Prove is to prove, and how.
type Order struct {
	Kernel Kernel
	Want   recipe.Proof
	// Witness is the compiled program.
	Witness []byte
	Machine Machine
	// Args follow the guest's command line.
	Args []string
	// Memory (bytes) and Limit are the guest's; 0 is the default.
	Memory int64
	Limit  time.Duration
}

// limit returns the time limit of the run.
func (o Order) limit() time.Duration { return cmp.Or(o.Limit, DefaultLimit) }

// Prove boots the kernel and checks it. The second result is the console's log.
// A kernel that does not pass is not an error. Errors: *OptionsError,
// *LimitError, *QEMUError, those of the machine.
func Prove(ctx context.Context, o Order) (Proof, []byte, error) {
	if err := o.Kernel.Config.requireFor(o.Want, o.kernelVerifies()); err != nil {
		return Proof{}, nil, err
	}
	attempts := o.attempts()
	g := o.Guest()
	run, err := Boot(ctx, o.Machine, g)
	if err != nil {
		return Proof{}, run.Console, err
	}
	obs := readConsole(run.Console)
	if run.Ending == TimedOut && o.limit() < DefaultLimit && !o.refuted(attempts, readConsole(wholeLines(run.Console))) {
		return Proof{}, run.Console, &LimitError{o.limit(), obs.last()}
	}
	p := Proof{
		Checks: check(o, attempts, run.Ending, obs), Kernel: o.Kernel, Ending: run.Ending, Sockets: obs.Sockets,
		Machine: o.Machine.String(), Command: Command(g, o.Machine.Accel()), Passed: true,
	}
	for _, c := range p.Checks {
		p.Passed = p.Passed && c.Passed
	}
	return p, run.Console, nil
}

// Guest returns the guest that Prove boots.
func (o Order) Guest() Guest {
	files := []File{{Name: "init", Data: o.Witness, Exec: true}}
	for i, a := range o.attempts() {
		files = append(files, File{Name: moduleFile(i), Data: a.data})
	}
	if o.Want.TimeWait > 0 {
		files = append(files, File{Name: "time-wait"})
	}
	g := Guest{Kernel: o.Kernel.Image, Initramfs: Initramfs(files...), Memory: o.Memory, Limit: o.Limit}
	if o.kernelVerifies() {
		// the names in EL6's 2.6.32 and since 3.7; a kernel ignores the other one
		g.Args = append(g.Args, "enforcemodulesig=1", "module.sig_enforce=1")
	}
	g.Args = append(g.Args, o.Args...)
	return g
}
