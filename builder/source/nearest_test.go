package source

import "testing"

// TestNearer checks that of equal base names the one with more folders in common is
// nearer.
func TestNearer(t *testing.T) {
	for _, c := range []struct {
		want  string
		names []string
		best  string
	}{
		{"include/net/tcp.h", []string{"include/linux/tcp.h", "tools/include/net/tcp.h", "include/uapi/tcp.h"}, "tools/include/net/tcp.h"},
		{"include/net/tcp.h", []string{"net/mptcp.h", "samples/tcp.h", "include/linux/tcp.h"}, "include/linux/tcp.h"},
		{"tcp.h", []string{"a/tcp.c", "tcp.h.orig"}, ""},
		{"x/tcp.h", []string{"a/tcp.h", "b/tcp.h"}, "a/tcp.h"},
	} {
		best := ""
		for _, name := range c.names {
			if nearer(c.want, name, best) {
				best = name
			}
		}
		if best != c.best {
			t.Errorf("%s: got %q, want %q", c.want, best, c.best)
		}
	}
}
