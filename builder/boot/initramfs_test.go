package boot

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/hosttest"
)

// TestInitramfs has cpio list an archive.
func TestInitramfs(t *testing.T) {
	data := Initramfs(File{Name: "init", Data: []byte("#!"), Exec: true}, File{Name: "a/b/0", Data: []byte("12345")}, File{Name: "a/b/1"})
	cmd := exec.Command(hosttest.Program(t, "cpio"), "-itv", "--numeric-uid-gid", "--quiet")
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		got = append(got, strings.Replace(strings.Join(strings.Fields(line), " "), " Jan 1 1970 ", " ", 1))
	}
	want := []string{
		"drwxr-xr-x 1 0 0 0 proc", "drwxr-xr-x 1 0 0 0 dev", "crw------- 1 0 0 5, 1 dev/console", "crw------- 1 0 0 1, 11 dev/kmsg",
		"-rwxr-xr-x 1 0 0 2 init", "drwxr-xr-x 1 0 0 0 a", "drwxr-xr-x 1 0 0 0 a/b", "-rw-r--r-- 1 0 0 5 a/b/0", "-rw-r--r-- 1 0 0 0 a/b/1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
