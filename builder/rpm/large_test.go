package rpm_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/hosttest"
	"namibuild/builder/rpm"
)

// TestLargeFile checks that rpm sees what we see in a package of a file of more
// than 4 GiB, whose sizes have 64 bits and whose entries go by number.
// scripts/test runs it apart from the others, because the race detector would
// make it take minutes.
func TestLargeFile(t *testing.T) {
	hosttest.Time(t)
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
