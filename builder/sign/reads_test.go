package sign_test

import (
	"math/rand/v2"
	"testing"

	"namibuild/builder/hosttest"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/sign"
)

// TestReads checks how often a package is read: twice, or three times if it gets
// payload digests.
func TestReads(t *testing.T) {
	key, _ := made()
	content := make([]byte, 4<<20)
	rand.NewChaCha8([32]byte{}).Read(content) // does not compress
	p := rpmtest.Package{Name: "kernel", Version: "1", Release: "1", Legacy: true, Files: []rpmtest.File{{Path: "/boot/vmlinuz", Content: string(content)}}}
	s := set(t, p)
	for want, o := range map[int64]sign.Options{2: {}, 3: {PayloadDigests: true}} {
		before := hosttest.BytesRead(t)
		signed(t, s, key, o)
		// a tenth is for the headers and for reading /proc
		if got := hosttest.BytesRead(t) - before; got*10 > s.RPMs[0].Size*(want*10+1) {
			t.Errorf("%+v: read %d bytes of %d, want at most %d times as many", o, got, s.RPMs[0].Size, want)
		}
	}
}
