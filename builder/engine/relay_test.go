package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"namibuild/builder/engine"
)

// TestRelay checks that the relay's requests are answered in order.
func TestRelay(t *testing.T) {
	e, _ := connect(t)
	s := probeSpec(t, e, "await")
	asked := 0
	s.Relay = &engine.Relay{Command: []string{"/probe", "ask"}, Answer: func(line string) string {
		asked++
		return "answer to " + line
	}}
	got, _ := run(t, e, s)
	var want strings.Builder
	for i := range 100 {
		fmt.Fprintf(&want, "answer to question %d\n", i)
	}
	if got.err != nil || got.exit.Code != 0 || got.log != want.String() || asked != 100 {
		t.Errorf("asked %d times, got %+v", asked, got)
	}
}

// TestRelayLost checks that a relay that does not start, or that ends before the
// main process, ends the run.
func TestRelayLost(t *testing.T) {
	e, _ := connect(t)
	for name, command := range map[string][]string{
		"ended":   {"/probe", "fail", "no more", "3"},
		"missing": {"/missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := probeSpec(t, e, "wait")
			s.Relay = &engine.Relay{Command: command, Answer: func(string) string { return "" }}
			c, err := e.Create(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			defer mustRemove(t, c)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err = c.Run(ctx, &strings.Builder{})
			if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "running "+command[0]+" in the container: ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestRelayOutlived checks that a main process that ends at once is no error of
// the relay.
func TestRelayOutlived(t *testing.T) {
	e, _ := connect(t)
	for range 5 {
		s := probeSpec(t, e, "exit", "4")
		s.Relay = &engine.Relay{Command: []string{"/probe", "wait"}, Answer: func(string) string { return "" }}
		if got, _ := run(t, e, s); got.err != nil || got.exit.Code != 4 {
			t.Errorf("got %+v", got)
		}
	}
}
