package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Guest is a kernel to boot once, without a disk and without a network.
type Guest struct {
	Kernel    []byte
	Initramfs []byte
	// Args follow the arguments that every guest has on its command line.
	Args []string
	// Memory is in bytes; 0 means DefaultMemory.
	Memory int64
	// Limit is the time limit of the run, in real time; 0 means DefaultLimit.
	Limit time.Duration
}

// The defaults of a guest. A distribution's kernel unpacks itself in 256 MiB;
// under TCG it needs half a minute until it starts process 1.
const (
	DefaultMemory = 256 << 20
	DefaultLimit  = 3 * time.Minute
)

// The names of a guest's files in the folder where QEMU runs.
const (
	kernelFile    = "vmlinuz"
	initramfsFile = "initramfs"
)

// Machine runs guests.
type Machine interface {
	// Run runs a guest to its end and writes the output of its serial console to
	// serial as it comes. The error is that of ctx if ctx ends first, and a
	// *QEMUError if QEMU exits with a status other than 0.
	Run(ctx context.Context, g Guest, serial io.Writer) error
	// Accel tells what runs the guest's instructions.
	Accel() Accel
	// String describes the machine, for the record.
	String() string
}

// Accel says what runs the guest's instructions.
type Accel string

const (
	// TCG translates them. It skips the time in which the guest idles, and the
	// same guest runs the same way every time.
	TCG Accel = "tcg"
	// KVM lets the processor run them. The guest's time is real time.
	KVM Accel = "kvm"
)

// QEMUError reports that QEMU exited with a status other than 0.
type QEMUError struct {
	Status int
	// Output is the end of what it printed.
	Output string
}

func (e *QEMUError) Error() string {
	return fmt.Sprintf("running QEMU: exit status %d: %s", e.Status, e.Output)
}

// command returns QEMU's arguments for a guest. -icount with sleep=off runs the
// guest's clock by counting instructions (8 ns each) and skips idle time.
// -no-reboot ends the run at the first reset. The machine pc needs no option of a
// kernel's configuration.
func command(g Guest, by Accel) []string {
	accel := []string{"-accel", "tcg,tb-size=128", "-icount", "shift=3,sleep=off", "-rtc", "base=2020-01-01,clock=vm"}
	if by == KVM {
		accel = []string{"-accel", "kvm"}
	}
	memory := g.Memory
	if memory == 0 {
		memory = DefaultMemory
	}
	args := []string{"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "pc", "-smp", "1", "-m", fmt.Sprintf("%dM", memory>>20)}
	args = append(args, accel...)
	return append(args, "-serial", "stdio", "-kernel", kernelFile, "-initrd", initramfsFile, "-append", strings.Join(append(base(), g.Args...), " "))
}

// base returns the command line of every guest: all messages go to the serial
// console, without a rate limit, and a panic resets the machine.
func base() []string {
	return []string{"console=ttyS0", "earlyprintk=serial,ttyS0,115200", "ignore_loglevel", "printk.devkmsg=on", "panic=-1"}
}

// Command returns a line for a shell that repeats a guest's run in a folder with
// its two files, vmlinuz and initramfs.
func Command(g Guest, by Accel) string {
	words := []string{qemu}
	for _, a := range command(g, by) {
		if strings.ContainsAny(a, " ") {
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// Ending says how the run of a guest ended.
type Ending string

const (
	// Reset says that the kernel restarted the machine, or the machine itself did
	// (a triple fault).
	Reset Ending = "reset"
	// Panicked says that the kernel reported a panic.
	Panicked Ending = "panic"
	// TimedOut says that the guest ran until the time limit.
	TimedOut Ending = "time limit"
	// Flooded says that the guest printed more than any boot does.
	Flooded Ending = "too much output"
)

// Run is the run of one guest: how it ended, and the log of its console.
type Run struct {
	Ending  Ending
	Console []byte
}

// Boot runs a guest on a machine. It ends the guest at the time limit, when it
// prints without end, and a moment after a panic, because kernels before 3.3 do
// not know panic=-1. The error is the cause of ctx if ctx ends first, or that of
// the machine.
func Boot(ctx context.Context, m Machine, g Guest) (Run, error) {
	limit := g.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	guest, end := context.WithTimeout(ctx, limit)
	defer end()
	c := &console{stop: end, panicked: func() { time.AfterFunc(afterPanic, end) }}
	err := m.Run(guest, g, c)
	ending := c.ending()
	switch {
	case ctx.Err() != nil:
		return Run{}, context.Cause(ctx)
	case ending == Reset && errors.Is(guest.Err(), context.DeadlineExceeded):
		ending = TimedOut
	case err != nil && guest.Err() == nil:
		return Run{}, err
	}
	return Run{ending, c.bytes()}, nil
}

// afterPanic is the time that a kernel gets to print its trace.
const afterPanic = time.Second
