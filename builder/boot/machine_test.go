package boot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/hosttest"
)

// scripted is a machine that prints a text and then ends, or runs until it is
// ended.
type scripted struct {
	text  string
	again bool // print it without end
	hangs bool
	err   error
}

func (scripted) Accel() Accel   { return TCG }
func (scripted) String() string { return "a machine of a test" }

func (m scripted) Run(ctx context.Context, _ Guest, serial io.Writer) error {
	io.WriteString(serial, m.text)
	for m.again && ctx.Err() == nil {
		io.WriteString(serial, m.text)
	}
	if m.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return m.err
}

func TestBootEndings(t *testing.T) {
	tests := map[string]struct {
		m     scripted
		limit time.Duration
		want  Ending
		took  time.Duration // at most
	}{
		"reset":                {scripted{text: "a"}, time.Minute, Reset, time.Second},
		"hang":                 {scripted{text: "a", hangs: true}, 50 * time.Millisecond, TimedOut, 2 * time.Second},
		"panic and reset":      {scripted{text: "Kernel panic - not syncing: x\n"}, time.Minute, Panicked, time.Second},
		"panic and hang":       {scripted{text: "Kernel panic - not syncing: x\n", hangs: true}, time.Minute, Panicked, afterPanic + 2*time.Second},
		"panic near the limit": {scripted{text: "Kernel panic - not syncing: x\n", hangs: true}, 50 * time.Millisecond, Panicked, 2 * time.Second},
		"flood":                {scripted{text: strings.Repeat("x", 1<<20), again: true, hangs: true}, time.Minute, Flooded, 5 * time.Second},
	}
	for name, test := range tests {
		start := time.Now()
		run, err := Boot(t.Context(), test.m, Guest{Limit: test.limit})
		if err != nil || run.Ending != test.want || time.Since(start) > test.took {
			t.Errorf("%s: %s after %v, %v", name, run.Ending, time.Since(start), err)
		}
		if !strings.HasPrefix(string(run.Console), test.m.text) || len(run.Console) > maxConsole {
			t.Errorf("%s: %d bytes of console", name, len(run.Console))
		}
	}
}

// TestProveLimit checks that a run that ends at a limit below the default has no
// verdict, unless the console shows a failure already.
func TestProveLimit(t *testing.T) {
	hanging := func(text string) Order {
		o := order()
		o.Kernel.Config, o.Machine, o.Limit = nil, scripted{text: text, hangs: true}, 50*time.Millisecond
		return o
	}
	_, log, err := Prove(t.Context(), hanging("[    0.1] Calibrating delay loop\n\n"))
	var limit *LimitError
	if want := `booting: no verdict within the time limit of 50ms; the console's last line is "Calibrating delay loop"`; !errors.As(err, &limit) || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if len(log) == 0 {
		t.Error("got no log of the console")
	}
	for name, text := range map[string]string{
		"trouble":         "BUG: unable to handle kernel NULL pointer dereference\n",
		"another release": marker + "release 3.10.0\n",
		"cannot":          marker + "cannot open a socket 24\n",
	} {
		p, _, err := Prove(t.Context(), hanging(text))
		if err != nil || p.Passed || p.Ending != TimedOut {
			t.Errorf("%s: got %+v, %v", name, p, err)
		}
	}
}

func TestBootErrors(t *testing.T) {
	broken := errors.New("no room")
	if _, err := Boot(t.Context(), scripted{err: broken}, Guest{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(broken)
	if _, err := Boot(ctx, scripted{hangs: true}, Guest{}); !errors.Is(err, broken) {
		t.Errorf("interrupted: got %v", err)
	}
}

// TestPanicMarkAcrossWrites writes to a console byte by byte, as a serial port does.
func TestPanicMarkAcrossWrites(t *testing.T) {
	calls := 0
	c := &console{stop: func() {}, panicked: func() { calls++ }}
	for _, b := range []byte("x\nKernel panic - not syncing: a\nKernel panic - not syncing: b\n") {
		c.Write([]byte{b})
	}
	if calls != 1 || c.ending() != Panicked {
		t.Errorf("panicked is called %d times, the ending is %s", calls, c.ending())
	}
}

func TestCommand(t *testing.T) {
	want := "qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -machine pc -smp 1 -m 64M -accel kvm " +
		"-serial stdio -kernel vmlinuz -initrd initramfs -append 'console=ttyS0 earlyprintk=serial,ttyS0,115200 ignore_loglevel printk.devkmsg=on panic=-1 a=b'"
	if d := cmp.Diff(want, Command(Guest{Args: []string{"a=b"}, Memory: 64 << 20}, KVM)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if got := Command(Guest{}, TCG); !strings.Contains(got, " -m 256M -accel tcg,tb-size=128 -icount shift=3,sleep=off ") {
		t.Errorf("got %s", got)
	}
}

// TestProbe runs the probe under TCG, which works everywhere.
func TestProbe(t *testing.T) {
	hosttest.Program(t, "qemu-system-x86_64")
	h, err := FindHost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.Dir = t.TempDir()
	kernel := filepath.Join(h.Dir, "kernel")
	if err := os.WriteFile(kernel, RealMode(0xb0, 0x10, 0xe6, 0xf4, 0xf4), 0o666); err != nil {
		t.Fatal(err)
	}
	var exit *QEMUError
	if err := h.start(t.Context(), append(probe(TCG), "-kernel", kernel), io.Discard); !errors.As(err, &exit) || exit.Status != probeStatus {
		t.Errorf("got %v", err)
	}
}

// TestHostEndings runs guests that never start a process 1, on the host's QEMU.
func TestHostEndings(t *testing.T) {
	hosttest.Time(t)
	hosttest.Program(t, "qemu-system-x86_64")
	h, err := FindHost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.Dir = t.TempDir()
	for name, test := range map[string]struct {
		code []byte
		want Ending
	}{
		"hang":         {[]byte{0xeb, 0xfe}, TimedOut},                                    // jmp .
		"reset":        {[]byte{0xb0, 0xfe, 0xe6, 0x64, 0xf4}, Reset},                     // the keyboard controller's reset
		"triple fault": {[]byte{0x0f, 0x01, 0x1e, 0, 0, 0xcc}, Reset},                     // lidt of nothing; int3
		"flood":        {[]byte{0xba, 0xf8, 0x03, 0xb0, 'x', 0xee, 0xeb, 0xfd}, TimedOut}, // out to COM1, again and again
	} {
		run, err := Boot(t.Context(), h, Guest{Kernel: RealMode(test.code...), Initramfs: Initramfs(), Limit: 3 * time.Second})
		if err != nil || run.Ending != test.want && !(name == "flood" && run.Ending == Flooded) {
			t.Errorf("%s: %s, %v", name, run.Ending, err)
		}
		if name == "flood" && !bytes.Contains(run.Console, []byte("xxxx")) {
			t.Errorf("flood: %d bytes", len(run.Console))
		}
	}
}
