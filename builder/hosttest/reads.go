package hosttest

import (
	"fmt"
	"os"
	"testing"
)

// BytesRead returns the number of bytes that this process has read since it started, by
// the count rchar of Linux's /proc/self/io.
func BytesRead(tb testing.TB) (n int64) {
	tb.Helper()
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(data), "rchar: %d", &n); err != nil {
		tb.Fatal(err)
	}
	return n
}
