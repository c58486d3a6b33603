// Package boot is the proof: it boots a built kernel in QEMU and asks it.
//
// A witness, a C program without libc, runs as process 1 of the guest. It says
// what the kernel says of itself, loads modules, and times real sockets in
// TIME_WAIT by the guest's clock. Prove judges that by a recipe's expectations.
//
// The guest runner (Guest, Machine, Boot) knows nothing of proofs: it takes a
// kernel, an initramfs, a command line and a time limit, and gives what the
// serial console said and how the run ended.
package boot

import (
	"cmp"
	"context"
	"time"

	"namibuild/builder/recipe"
)

// Check is one thing that was expected, and what was found.
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
	// Passed: every check did.
	Passed bool    `json:"passed"`
	Checks []Check `json:"checks"`
	Kernel Kernel  `json:"kernel"`
	// PlanID is the plan's that the packages were built by; empty: not known.
	PlanID string `json:"planID,omitempty"`
	// Packages are all packages of the set.
	Packages []Package `json:"packages"`
	Ending   Ending    `json:"ending"`
	// Sockets are the single readings behind the check time-wait.
	Sockets []Socket `json:"sockets,omitempty"`
	// Machine is what ran the guest, Command how to run it again in a folder
	// with its vmlinuz and its initramfs.
	Machine string `json:"machine"`
	Command string `json:"command"`
}

// Order is what Prove is asked to prove, and how.
type Order struct {
	Kernel Kernel
	Want   recipe.Proof
	// Witness is the compiled program.
	Witness []byte
	Machine Machine
	// Args come behind the guest's command line.
	Args []string
	// Memory and Limit are the guest's; 0 is the default.
	Memory int64
	Limit  time.Duration
}

// limit bounds the run.
func (o Order) limit() time.Duration { return cmp.Or(o.Limit, DefaultLimit) }

// Prove boots the kernel and judges it; the second result is the console's log.
// A kernel that does not pass is no error. Errors: *OptionsError, *LimitError,
// *QEMUError, those of the machine.
func Prove(ctx context.Context, o Order) (Proof, []byte, error) {
	if err := o.Kernel.Config.check(o.Want, o.kernelJudges()); err != nil {
		return Proof{}, nil, err
	}
	load := o.loads()
	g := o.Guest()
	run, err := Boot(ctx, o.Machine, g)
	if err != nil {
		return Proof{}, run.Console, err
	}
	t := readConsole(run.Console)
	if run.Ending == TimedOut && o.limit() < DefaultLimit && !o.refuted(load, readConsole(wholeLines(run.Console))) {
		return Proof{}, run.Console, &LimitError{o.limit(), t.last()}
	}
	p := Proof{
		Checks: judge(o, load, run.Ending, t), Kernel: o.Kernel, Ending: run.Ending, Sockets: t.Sockets,
		Machine: o.Machine.String(), Command: Command(g, o.Machine.Accel()), Passed: true,
	}
	for _, c := range p.Checks {
		p.Passed = p.Passed && c.Passed
	}
	return p, run.Console, nil
}

// Guest is the guest that proves the kernel.
func (o Order) Guest() Guest {
	files := []File{{Name: "init", Data: o.Witness, Exec: true}}
	for i, l := range o.loads() {
		files = append(files, File{Name: moduleFile(i), Data: l.data})
	}
	if o.Want.TimeWait > 0 {
		files = append(files, File{Name: "time-wait"})
	}
	g := Guest{Kernel: o.Kernel.Image, Initramfs: Initramfs(files...), Memory: o.Memory, Limit: o.Limit}
	if o.kernelJudges() {
		// 2.6.32 of EL6; 3.7 and later. A kernel passes over what it does not know.
		g.Args = append(g.Args, "enforcemodulesig=1", "module.sig_enforce=1")
	}
	g.Args = append(g.Args, o.Args...)
	return g
}
