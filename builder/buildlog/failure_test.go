package buildlog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadFailure(t *testing.T) {
	tests := map[string]struct {
		log  string
		want Failure // without Last
	}{
		"compiler": {
			`Executing(%prep): /bin/sh -e /tmp/x
Executing(%build): /bin/sh -e /tmp/y
net/ipv4/tcp.c: In function 'tcp_close':
net/ipv4/tcp.c:12:3: warning: unused variable
net/ipv4/tcp_minisocks.c:34:10: error: 'TCP_TIMEWAIT' undeclared (first use in this function)
make[2]: *** [scripts/Makefile.build:250: net/ipv4/tcp_minisocks.o] Error 1
make: *** [Makefile:2009: .] Error 2
error: Bad exit status from /tmp/y (%build)
`,
			Failure{Phase: "%build", First: "net/ipv4/tcp_minisocks.c:34:10: error: 'TCP_TIMEWAIT' undeclared (first use in this function)", File: "net/ipv4/tcp_minisocks.c", Line: 34},
		},
		"gcc 4.4 has no column": {
			"Executing(%build): x\nnet/ipv4/tcp.c:34: error: expected ';' before 'return'\n",
			Failure{Phase: "%build", First: "net/ipv4/tcp.c:34: error: expected ';' before 'return'", File: "net/ipv4/tcp.c", Line: 34},
		},
		"patch": {
			"Executing(%prep): x\n+ patch -p1 -F1 -s\n1 out of 1 hunk FAILED -- saving rejects to file include/net/tcp.h.rej\nerror: Bad exit status from /tmp/x (%prep)\n",
			Failure{Phase: "%prep", First: "1 out of 1 hunk FAILED -- saving rejects to file include/net/tcp.h.rej"},
		},
		"disk full outranks the compiler's error behind it": {
			"Executing(%build): x\nfoo.c:1:1: error: unable to write\n/tmp/ccx.s: fatal error: error writing to /tmp/ccx.s: No space left on device\nerror: Bad exit status from /tmp/x (%build)\n",
			Failure{Phase: "%build", First: "/tmp/ccx.s: fatal error: error writing to /tmp/ccx.s: No space left on device", DiskFull: true},
		},
		"dependencies, before any phase": {
			"error: Failed build dependencies:\n\thmaccalc is needed by kernel\n",
			Failure{First: "error: Failed build dependencies:"},
		},
		"only make's complaint": {
			"Executing(%build): x\nmake: *** No rule to make target 'bzImage'.  Stop.\nerror: Bad exit status from /tmp/x (%build)\n",
			Failure{Phase: "%build", First: "make: *** No rule to make target 'bzImage'.  Stop."},
		},
		"missing file": {
			"Executing(%install): x\nerror: File not found: /usr/src/namibuild/rpmbuild/BUILDROOT/x/boot/vmlinuz\n",
			Failure{Phase: "%install", First: "error: File not found: /usr/src/namibuild/rpmbuild/BUILDROOT/x/boot/vmlinuz"},
		},
		"nothing said": {"", Failure{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ReadFailure(strings.NewReader(test.log))
			if err != nil {
				t.Fatal(err)
			}
			got.Last = nil
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReadFailureKeepsTheEnd checks that a Failure has the last lines of the log, and that a long
// line is cut.
func TestReadFailureKeepsTheEnd(t *testing.T) {
	long := strings.Repeat("x", 3*longLine)
	f, err := ReadFailure(strings.NewReader(strings.Repeat("line\n", 40) + long + "\nlast"))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Last) != lastLines || f.Last[lastLines-1] != "last" || len(f.Last[lastLines-2]) != longLine {
		t.Errorf("got %d lines, the last %q", len(f.Last), f.Last[len(f.Last)-1])
	}
}

func FuzzReadFailure(f *testing.F) {
	f.Add("Executing(%build): x\nfoo.c:34: error: y\n")
	f.Fuzz(func(t *testing.T, log string) {
		got, err := ReadFailure(strings.NewReader(log))
		if err != nil || len(got.Last) > lastLines {
			t.Errorf("%d lines, %v", len(got.Last), err)
		}
	})
}
