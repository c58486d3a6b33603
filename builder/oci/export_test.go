package oci

import "time"

func init() { pauses = []time.Duration{time.Millisecond, time.Millisecond} }

// SetStall lets a transfer stand still for no longer than d, and gives the
// function that takes it back.
func SetStall(d time.Duration) func() {
	before := stall
	stall = d
	return func() { stall = before }
}
