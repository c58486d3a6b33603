package source

import (
	"archive/tar"
	"bytes"
	"testing"
	"time"
)

// TestHugeHeader checks that the header of a file above 8 GiB has the same length, and
// that tar can read it.
func TestHugeHeader(t *testing.T) {
	for _, size := range []int64{0, 1<<33 - 1, 1 << 33, 9 << 40} {
		head, err := header(&tar.Header{Typeflag: tar.TypeReg, Name: "SOURCES/linux.tar", Size: size, Mode: 0o644, ModTime: time.Unix(1, 0)})
		if err != nil || len(head) != block {
			t.Fatalf("%d: %d bytes, %v", size, len(head), err)
		}
		h, err := tar.NewReader(bytes.NewReader(head)).Next()
		if err != nil || h.Size != size || h.Uid != builderID || h.Gid != builderID || h.Uname != "" {
			t.Errorf("%d: %+v, %v", size, h, err)
		}
	}
}
