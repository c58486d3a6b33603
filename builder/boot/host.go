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

// qemu is the program that emulates x86_64.
const qemu = "qemu-system-x86_64"

// Host is a QEMU of this host.
type Host struct {
	// Dir is a folder for the guest's files.
	Dir string
	By  Accel

	path, version string
}

// ErrNoQEMU says that this host has no QEMU that runs.
var ErrNoQEMU = errors.New("finding QEMU: no " + qemu + " that runs on this host")

// FindHost looks for the host's QEMU. Error: ErrNoQEMU.
func FindHost(ctx context.Context) (Host, error) {
	path, err := exec.LookPath(qemu)
	if err != nil {
		return Host{}, ErrNoQEMU
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	said, err := exec.CommandContext(ctx, path, "-version").Output()
	if err != nil {
		return Host{}, ErrNoQEMU
	}
	return Host{By: TCG, path: path, version: versionOf(string(said))}, nil
}

// versionOf is the first line of what `qemu -version` prints, without the name of
// the program: "QEMU emulator version 7.2.22 (Debian …)".
func versionOf(said string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	return strings.Replace(line, "emulator version ", "", 1)
}

// Accel is By.
func (h Host) Accel() Accel { return h.By }

func (h Host) String() string { return h.version + " of the host, " + string(h.By) }

// Run runs QEMU in Dir. It ends with this process, however that ends.
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

func (h Host) start(ctx context.Context, args []string, serial io.Writer) error {
	// the kernel sends Pdeathsig when the thread ends that started the process
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	said := &tail{}
	cmd := exec.CommandContext(ctx, h.path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = h.Dir, serial, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return &QEMUError{exit.ExitCode(), said.String()}
	}
	return err
}

// tail keeps the end of what is written to it.
type tail struct{ data []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	t.data = t.data[max(0, len(t.data)-1024):]
	return len(p), nil
}

func (t *tail) String() string { return strings.Join(strings.Fields(string(t.data)), " ") }

// probeLimit is for a QEMU that does next to nothing: 0.1 s where all is well.
// A KVM that is there and does not work may hang without a word, and one that is
// emulated itself crawls through the firmware in some three seconds, and then hangs
// in the kernel.
const probeLimit = time.Second

// probeStatus is how QEMU ends when its guest writes 0x10 to isa-debug-exit.
const probeStatus = 0x10<<1 | 1

// HasKVM boots a kernel of three instructions under KVM: mov $0x10,%al; out
// %al,$0xf4; hlt. Only that shows whether it works: a /dev/kvm that opens, and even one
// that runs a ROM's first instructions, may hang in the firmware.
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

// probe are QEMU's arguments for a guest that ends it by a write to port 0xf4.
func probe(by Accel) []string {
	return []string{"-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-m", "64M", "-accel", string(by),
		"-device", "isa-debug-exit,iobase=0xf4,iosize=4"}
}
