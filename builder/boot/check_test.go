package boot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
)

// good is the output of the witness on a kernel that passes every check.
const good = `@namibuild release 6.1.0-1.x86_64
@namibuild version Linux version 6.1.0-1.x86_64 (a@b) #1 SMP
@namibuild fin-timeout 60
@namibuild socket 0 60000 62040
@namibuild socket 1 60000 60110
@namibuild tainted 0
@namibuild end
`

func order() Order {
	return Order{Kernel: Kernel{Release: "6.1.0-1.x86_64"}, Want: recipe.Proof{TimeWait: 60, FinTimeout: 60, Version: "SMP"}}
}

func TestCheckPasses(t *testing.T) {
	want := []Check{
		{"boot", "boots, answers, powers off", "boots, answers, powers off", true},
		{"release", "6.1.0-1.x86_64", "6.1.0-1.x86_64", true},
		{"/proc/version", `Linux version 6.1.0-1.x86_64, with "SMP"`, "Linux version 6.1.0-1.x86_64 (a@b) #1 SMP", true},
		{"time-wait", "60.00 s", "60.11 s (timer armed to 60.00 s; 2 sockets lived 60.11 s to 62.04 s)", true},
		{"tcp_fin_timeout", "60 s", "60 s", true},
		{"console", "no panic, no oops, no warning", "no panic, no oops, no warning", true},
	}
	if d := cmp.Diff(want, check(order(), nil, Reset, readConsole([]byte(good)))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestCheckFails changes one thing in each case, and names the checks that fail.
func TestCheckFails(t *testing.T) {
	replace := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("the good log has no %q", from)
		}
		return strings.ReplaceAll(good, from, to)
	}
	tests := map[string]struct {
		ending Ending
		log    string
		want   string // failed checks and what they got
	}{
		"panic": {Panicked, "VFS: x\nKernel panic - not syncing: No working init found.\n", "boot: panics: No working init found."},
		"panic after one line": {Panicked, "@namibuild release 6.1.0-1.x86_64\nKernel panic - not syncing: x\n",
			"boot: panics: x|/proc/version: |time-wait: no socket was timed|tcp_fin_timeout: not reported|console: Kernel panic - not syncing: x"},
		"hang":            {TimedOut, "Linux version\n", `boot: hangs: the witness printed nothing within the time limit of 3m0s; the console's last line is "Linux version"`},
		"hang at its end": {TimedOut, replace("@namibuild end\n", ""), `boot: hangs: the witness did not finish within the time limit of 3m0s; the console's last line is "tainted 0"`},
		"silent hang":     {TimedOut, "", "boot: hangs: the witness printed nothing within the time limit of 3m0s; the console showed nothing"},
		"reboot loop":     {Reset, "Linux version\n", "boot: restarts before the witness prints anything, so a machine would reboot in a loop"},
		"early end":       {Reset, replace("@namibuild end\n", ""), "boot: restarts before the witness finishes"},
		"flood":           {Flooded, "x\n", "boot: prints without end: more than 8 MB"},
		"release":         {Reset, replace("release 6.1.0-1", "release 6.1.0-2"), "release: 6.1.0-2.x86_64"},
		"version":         {Reset, replace("Linux version 6.1.0-1.x86_64 ", "Linux version 6.1.0-11.x86_64 "), "/proc/version: Linux version 6.1.0-11.x86_64 (a@b) #1 SMP"},
		"version's text":  {Reset, replace(" SMP", ""), "/proc/version: Linux version 6.1.0-1.x86_64 (a@b) #1"},
		"time-wait":       {Reset, replace(" 60000 60110", " 5000 5011"), "time-wait: 5.01 s (timer armed to 5.00 s; 2 sockets lived 5.01 s to 62.04 s)"},
		"armed alone":     {Reset, replace(" 60000 ", " 59000 "), "time-wait: 60.11 s (timer armed to 59.00 s; 2 sockets lived 60.11 s to 62.04 s)"},
		"lived alone":     {Reset, replace("60110", "60510"), "time-wait: 60.51 s (timer armed to 60.00 s; 2 sockets lived 60.51 s to 62.04 s)"},
		"never gone":      {Reset, replace("60110", "-1"), "time-wait: a socket was still in TIME_WAIT after three times its time"},
		"fin-timeout":     {Reset, replace("fin-timeout 60", "fin-timeout 5"), "tcp_fin_timeout: 5 s"},
		"no network": {Reset, "@namibuild release 6.1.0-1.x86_64\n@namibuild version Linux version 6.1.0-1.x86_64 (a) SMP\n@namibuild fin-timeout 60\n@namibuild cannot socket 97\n@namibuild end\n",
			"boot: answers in part: socket: address family not supported by protocol|time-wait: no socket was timed"},
		"warning": {Reset, "WARNING: CPU: 0 PID: 1 at a.c:1\n" + good, "console: WARNING: CPU: 0 PID: 1 at a.c:1"},
		"tainted": {Reset, replace("tainted 0", "tainted 512"), "console: the kernel marks itself tainted (512)"},
	}
	for name, test := range tests {
		var failed []string
		for _, c := range check(order(), nil, test.ending, readConsole([]byte(test.log))) {
			if !c.Passed {
				failed = append(failed, c.Name+": "+c.Got)
			}
		}
		if got := strings.Join(failed, "|"); got != test.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, test.want)
		}
	}
}

// TestAllow checks that a line that the recipe allows is ignored, and another one
// is not.
func TestAllow(t *testing.T) {
	o := order()
	o.Want.Allow = []string{"at a.c:1"}
	for log, want := range map[string]bool{
		"WARNING: CPU: 0 PID: 1 at a.c:1\n":                    true,
		"WARNING: CPU: 0 PID: 1 at a.c:1\nWARNING: at b.c:1\n": false,
	} {
		all := check(o, nil, Reset, readConsole([]byte(log+good)))
		if got := all[len(all)-1]; got.Passed != want {
			t.Errorf("%q: %+v", log, got)
		}
	}
}

// TestCheckModules checks the kernel's answers to a module and to its damaged copy.
func TestCheckModules(t *testing.T) {
	plain := Module{Name: "dummy", Wanted: true}
	tests := map[string]struct {
		signed   bool
		module   Module
		attempts []attempt
		answers  map[int]int
		want     Check
	}{
		"loads":     {false, plain, []attempt{{plain, nil, false}}, map[int]int{0: 0}, Check{"module dummy", "loads", "loads", true}},
		"refused":   {false, plain, []attempt{{plain, nil, false}}, map[int]int{0: 8}, Check{"module dummy", "loads", "is refused: exec format error", false}},
		"not tried": {false, plain, []attempt{{plain, nil, false}}, nil, Check{"module dummy", "loads", "was not tried", false}},
		"unsigned": {true, plain, []attempt{{plain, nil, false}}, map[int]int{0: 0},
			Check{"module dummy", "loads, its signature is accepted", "loads, it is not signed", false}},
	}
	signed := Module{Name: "dummy", Wanted: true, Data: []byte(appendedMark)}
	pair := []attempt{{signed, nil, true}, {signed, nil, false}}
	tests["accepted"] = struct {
		signed   bool
		module   Module
		attempts []attempt
		answers  map[int]int
		want     Check
	}{true, signed, pair, map[int]int{0: 129, 1: 0}, Check{"module dummy", "loads, its signature is accepted",
		"loads, signature accepted by the kernel, a damaged copy refused (EKEYREJECTED)", true}}
	tests["nothing verified"] = struct {
		signed   bool
		module   Module
		attempts []attempt
		answers  map[int]int
		want     Check
	}{true, signed, pair, map[int]int{0: 0, 1: 17}, Check{"module dummy", "loads, its signature is accepted", "is refused: file exists", false}}
	for name, test := range tests {
		o := Order{Want: recipe.Proof{Signed: test.signed}}
		if d := cmp.Diff(test.want, o.checkModule(len(test.attempts)-1, test.attempts, observation{Modules: test.answers})); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}
