package oci

import "time"

func init() { pauses = []time.Duration{time.Millisecond, time.Millisecond} }

// SetStall sets stall. It returns the function that sets the earlier value again.
func SetStall(d time.Duration) func() {
	before := stall
	stall = d
	return func() { stall = before }
}
