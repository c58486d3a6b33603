package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Guest is a kernel to boot: once, without a disk and without a network.
type Guest struct {
	Kernel    []byte
	Initramfs []byte
	// Args come behind those that every guest has on its command line.
	Args []string
	// Memory is in bytes; 0 is DefaultMemory.
	Memory int64
	// Limit bounds the run in real time; 0 is DefaultLimit.
	Limit time.Duration
}

// What a guest has that does not say otherwise. A distribution's kernel unpacks
// itself in 256 MiB; under TCG it takes half a minute to its process 1.
const (
	DefaultMemory = 256 << 20
	DefaultLimit  = 3 * time.Minute
)

// The names of a guest's files where QEMU runs.
const (
	kernelFile    = "vmlinuz"
	initramfsFile = "initramfs"
)

// Machine runs a guest to its end. The serial console goes to serial as it
// comes; the error is ctx's when that ends first. QEMU's exit status other than
// 0 is a *QEMUError.
type Machine interface {
	Run(ctx context.Context, g Guest, serial io.Writer) error
	// Accel is what the machine is run by.
	Accel() Accel
	// String says what runs it, for the record.
	String() string
}

// Accel is what runs the guest's instructions.
type Accel string

const (
	// TCG translates them; time that the guest idles away is skipped, and the
	// same guest takes the same course every time.
	TCG Accel = "tcg"
	// KVM lets the processor run them; the guest's time is real time.
	KVM Accel = "kvm"
)

// QEMUError says that QEMU gave up.
type QEMUError struct {
	Status int
	// Said is the end of what it printed.
	Said string
}

func (e *QEMUError) Error() string {
	return fmt.Sprintf("running QEMU: exit status %d: %s", e.Status, e.Said)
}

// command are QEMU's arguments for a guest. -icount with sleep=off runs the guest's
// clock by counting instructions (8 ns each) and jumps over idle time.
// -no-reboot makes the first reset the end. The pc machine wants nothing of a
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

// base is every guest's command line: everything on the serial console,
// unhampered, and a panic is a reset.
func base() []string {
	return []string{"console=ttyS0", "earlyprintk=serial,ttyS0,115200", "ignore_loglevel", "printk.devkmsg=on", "panic=-1"}
}

// Command is the line for a shell that repeats a guest's run, in a folder with
// its two files.
func Command(g Guest, by Accel) string {
	words := []string{"qemu-system-x86_64"}
	for _, a := range command(g, by) {
		if strings.ContainsAny(a, " ") {
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// How a guest ended.
type Ending string

const (
	// Reset: the kernel restarted the machine, or it broke down.
	Reset Ending = "reset"
	// Panicked: the kernel said so.
	Panicked Ending = "panic"
	// TimedOut: it ran until the limit.
	TimedOut Ending = "time limit"
	// Flooded: it printed more than any boot does.
	Flooded Ending = "too much output"
)

// Run is one guest's run: what its console said and how it ended.
type Run struct {
	Ending  Ending
	Console []byte
}

// Boot runs a guest on a machine, and ends it itself at the time limit, a
// moment after a panic, or when it prints without end. It is what a panic
// costs with kernels that do not know panic=-1 (before 3.3).
func Boot(ctx context.Context, m Machine, g Guest) (Run, error) {
	limit := g.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	inside, end := context.WithTimeout(ctx, limit)
	defer end()
	c := &console{stop: end, panicked: func() { time.AfterFunc(afterPanic, end) }}
	err := m.Run(inside, g, c)
	ending := c.ending()
	switch {
	case ctx.Err() != nil:
		return Run{}, context.Cause(ctx)
	case ending == Reset && errors.Is(inside.Err(), context.DeadlineExceeded):
		ending = TimedOut
	case err != nil && inside.Err() == nil:
		return Run{}, err
	}
	return Run{ending, c.bytes()}, nil
}

// afterPanic is the time that a kernel has to print its trace.
const afterPanic = time.Second
