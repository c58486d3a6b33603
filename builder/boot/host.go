package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// qemu is the name of the program that emulates x86_64.
const qemu = "qemu-system-x86_64"

// Host is the QEMU of this host.
type Host struct {
	// Dir is a folder for the guest's files.
	Dir string
	// By says what runs the guest's instructions.
	By Accel

	path, version string
}

// ErrNoQEMU reports that this host has no QEMU that runs.
var ErrNoQEMU = errors.New("finding QEMU: no " + qemu + " that runs on this host")

// FindHost finds the QEMU of this host and returns it with TCG and without a Dir.
// The error is ErrNoQEMU.
func FindHost(ctx context.Context) (Host, error) {
	path, err := exec.LookPath(qemu)
	if err != nil {
		return Host{}, ErrNoQEMU
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	output, err := exec.CommandContext(ctx, path, "-version").Output()
	if err != nil {
		return Host{}, ErrNoQEMU
	}
	return Host{By: TCG, path: path, version: versionOf(string(output))}, nil
}

// versionOf returns the first line of the output of `qemu -version`, which is
// "QEMU emulator version 7.2.22 (Debian …)", without the words "emulator version".
func versionOf(output string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(output), "\n")
	return strings.Replace(line, "emulator version ", "", 1)
}

// Accel returns By.
func (h Host) Accel() Accel { return h.By }

func (h Host) String() string { return h.version + " of the host, " + string(h.By) }

// Run runs QEMU in Dir. QEMU ends when this process ends, however that happens.
func (h Host) Run(ctx context.Context, g Guest, serial io.Writer) error {
	err := errors.Join(
		os.WriteFile(filepath.Join(h.Dir, kernelFile), g.Kernel, 0o666),
		os.WriteFile(filepath.Join(h.Dir, initramfsFile), g.Initramfs, 0o666),
	)
	if err != nil {
		return fmt.Errorf("writing the guest's files: %w", err)
	}
	return h.start(ctx, command(g, h.By), serial)
}

// start runs QEMU with these arguments.
func (h Host) start(ctx context.Context, args []string, serial io.Writer) error {
	// Linux sends Pdeathsig when the thread that started the process ends
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	output := &tail{}
	cmd := exec.CommandContext(ctx, h.path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = h.Dir, serial, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return &QEMUError{exit.ExitCode(), output.String()}
	}
	return err
}

// tail keeps the last 1024 bytes that are written to it.
type tail struct{ data []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	t.data = t.data[max(0, len(t.data)-1024):]
	return len(p), nil
}

// String returns them as one line.
func (t *tail) String() string { return strings.Join(strings.Fields(string(t.data)), " ") }

// probeLimit is the time limit of a QEMU that does next to nothing. It takes 0.1 s
// where all is well. A broken KVM may hang without a message; a KVM that is itself
// emulated takes some three seconds for the firmware, and then hangs in the kernel.
const probeLimit = time.Second

// probeStatus is QEMU's exit status when its guest writes 0x10 to isa-debug-exit.
const probeStatus = 0x10<<1 | 1

// HasKVM reports whether KVM works. It boots a kernel of three instructions: mov
// $0x10,%al; out %al,$0xf4; hlt. Nothing less is a proof: a /dev/kvm that can be
// opened, and even one that runs a ROM's first instructions, may hang in the
// firmware.
func (h Host) HasKVM(ctx context.Context) bool {
	dir, err := os.MkdirTemp(h.Dir, "probe-*")
	if err != nil {
		return false
	}
	defer os.RemoveAll(dir)
	kernel := filepath.Join(dir, kernelFile)
	if os.WriteFile(kernel, RealMode(0xb0, 0x10, 0xe6, 0xf4, 0xf4), 0o666) != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	err = h.start(ctx, append(probe(KVM), "-kernel", kernel), io.Discard)
	var exit *QEMUError
	return errors.As(err, &exit) && exit.Status == probeStatus
}

// probe returns QEMU's arguments for a guest that ends it by a write to port 0xf4.
func probe(by Accel) []string {
	return []string{"-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-m", "64M", "-accel", string(by),
		"-device", "isa-debug-exit,iobase=0xf4,iosize=4"}
}
