package sign_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/sign"
)

// bytesRead returns the number of bytes that this process has read.
func bytesRead(t *testing.T) (n int64) {
	t.Helper()
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(data), "rchar: %d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestReads checks how often a package is read: twice, or three times if it gets
// payload digests.
func TestReads(t *testing.T) {
	key, _ := made()
	content := make([]byte, 4<<20)
	rand.NewChaCha8([32]byte{}).Read(content) // does not compress
	p := rpmtest.Package{Name: "kernel", Version: "1", Release: "1", Legacy: true, Files: []rpmtest.File{{Path: "/boot/vmlinuz", Content: string(content)}}}
	s := set(t, p)
	for want, o := range map[int64]sign.Options{2: {}, 3: {PayloadDigests: true}} {
		before := bytesRead(t)
		signed(t, s, key, o)
		// a tenth is for the headers and for reading /proc
		if got := bytesRead(t) - before; got*10 > s.RPMs[0].Size*(want*10+1) {
			t.Errorf("%+v: read %d bytes of %d, want at most %d times as many", o, got, s.RPMs[0].Size, want)
		}
	}
}
