//go:build !race

package rpm_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/rpm"
)

// TestLargeFile compares what we and rpm read of a file of more than 4 GiB, for
// which rpmbuild writes sizes in 64 bits and entries by number. With the race
// detector it would take minutes; scripts/test runs it by itself.
func TestLargeFile(t *testing.T) {
	top := t.TempDir()
	run(t, nil, "rpmbuild", "-bb", "--nodeps", "--quiet", "--define", "_topdir "+top, "--define", "_binary_payload w1.zstdio",
		"--define", "__os_install_post %{nil}", "testdata/large.spec")
	file := filepath.Join(top, "RPMS", "noarch", "large-1-1.noarch.rpm")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	agreeOnHeader(t, file, data)
	agree(t, file, data)
	p, err := rpm.Verify(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	const large = 4<<30 + 4096
	r, err := p.Payload(bytes.NewReader(data[p.PayloadOffset:]))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sizes := map[string]int64{}
	for {
		e, err := r.Next()
		if err != nil {
			break
		}
		sizes[e.Name] = e.Size
	}
	if diff := cmp.Diff(map[string]int64{"./large": large, "./small": 6}, sizes); diff != "" {
		t.Error(diff)
	}
}
