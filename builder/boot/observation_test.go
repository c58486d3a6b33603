package boot

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadConsole(t *testing.T) {
	none := func(change func(*observation)) observation {
		t := observation{FinTimeout: -1, Tainted: -1, Modules: map[int]int{}}
		change(&t)
		return t
	}
	tests := map[string]struct {
		log  string
		want observation
	}{
		"nothing": {"", none(func(*observation) {})},
		"a complete run": {
			"[    0.000000] Linux version 6.1.0\r\n" +
				"[    0.400000] @namibuild release 6.1.0-1.x86_64\r\n" +
				"@namibuild version Linux version 6.1.0-1.x86_64 (a@b) #1\r\n" +
				"<4>[   12.400000][   T1] @namibuild fin-timeout 5\n" +
				"@namibuild module 0 0\n@namibuild module 1 129\n" +
				"@namibuild socket 0 5000 5163\n@namibuild socket 1 5000 -1\n" +
				"@namibuild tainted 512\n@namibuild end\n[    9.0] reboot: Restarting system\n",
			observation{
				Release: "6.1.0-1.x86_64", Version: "Linux version 6.1.0-1.x86_64 (a@b) #1", FinTimeout: 5, Modules: map[int]int{0: 0, 1: 129},
				Sockets: []Socket{{5000, 5163}, {5000, -1}}, Tainted: 512, Started: true, Ended: true, Last: "reboot: Restarting system",
			},
		},
		"what failed": {
			"@namibuild cannot mounting /proc 19\n@namibuild cannot bind 98\n",
			none(func(t *observation) {
				t.Started, t.Last = true, "cannot bind 98"
				t.Failed = []string{"mounting /proc: no such device", "bind: address already in use"}
			}),
		},
		"lines of another form": {
			"@namibuild modu\n@namibuild socket 1 2\n@namibuild fin-timeout x\n@namibuild socket 1 2 9999999999999999\n",
			none(func(t *observation) {
				t.Started, t.Last = true, "socket 1 2 9999999999999999"
				t.Failed = []string{`unknown line of the witness: "modu"`, `unknown line of the witness: "socket 1 2"`,
					`unknown line of the witness: "fin-timeout x"`, `unknown line of the witness: "socket 1 2 9999999999999999"`}
			}),
		},
		"trouble of 6.1": {
			"[    0.1] ------------[ cut here ]------------\n[    0.1] WARNING: CPU: 0 PID: 1 at kernel/a.c:1 f+0x1/0x2\n[    0.2] BUG: kernel NULL pointer dereference, address: 0\n" +
				"[    0.2] Oops: 0000 [#1]\n[    0.3] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000009\n",
			none(func(t *observation) {
				t.Trouble = []string{"WARNING: CPU: 0 PID: 1 at kernel/a.c:1 f+0x1/0x2", "BUG: kernel NULL pointer dereference, address: 0",
					"Oops: 0000 [#1]", "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000009"}
				t.Last = t.Trouble[3]
			}),
		},
		"trouble of 2.6.32": {
			"WARNING: at kernel/sched.c:1 f()\nBUG: unable to handle kernel NULL pointer dereference at (null)\nINFO: task init:1 blocked for more than 120 seconds.\n" +
				"general protection fault: 0000 [#1] SMP\n",
			none(func(t *observation) {
				t.Trouble = []string{"WARNING: at kernel/sched.c:1 f()", "BUG: unable to handle kernel NULL pointer dereference at (null)",
					"INFO: task init:1 blocked for more than 120 seconds.", "general protection fault: 0000 [#1] SMP"}
				t.Last = t.Trouble[3]
			}),
		},
		"no trouble": {
			"[    0.1] ACPI: no BUG: here\nrcu: \tINFO\nx86/fpu: WARNING\nINFO: lockdep is on\nNMI watchdog: Perf NMI watchdog permanently disabled\n\r\n",
			none(func(t *observation) { t.Last = "NMI watchdog: Perf NMI watchdog permanently disabled" }),
		},
	}
	for name, test := range tests {
		if d := cmp.Diff(test.want, readConsole([]byte(test.log))); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

// FuzzReadConsole checks that reading whatever a guest prints ends, with a result
// in proportion.
func FuzzReadConsole(f *testing.F) {
	f.Add([]byte("[    0.4] @namibuild socket 0 5000 5163\r\n@namibuild cannot x 19\nKernel panic - not syncing: x"))
	f.Add([]byte("<1>[1.2][ T1] @namibuild version \xff\n@namibuild module 0 0 0\n@namibuild cannot \n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		got := readConsole(log)
		if got.Ended && !got.Started || len(got.Sockets)+len(got.Failed)+len(got.Trouble) > len(log) {
			t.Errorf("got %+v from %d bytes", got, len(log))
		}
	})
}
