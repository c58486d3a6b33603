package artifact

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/rpm/rpmtest"
)

// TestRead shows that Read sees in a file what Collect saw when it wrote it, and what happened to
// it since.
func TestRead(t *testing.T) {
	const file = "kernel-1-1.x86_64.rpm"
	kernel := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "1", Release: "1", Arch: "x86_64"})
	broken := append([]byte(nil), kernel...)
	broken[len(broken)-1] ^= 1
	collected, err := Collect(bytes.NewReader(stream(t, member{file, kernel})), filepath.Join(t.TempDir(), "RPMS"), nil)
	if err != nil {
		t.Fatal(err)
	}
	renamed := collected.RPMs[0]
	renamed.File = "kernel.rpm"
	for name, test := range map[string]struct {
		file string
		data []byte
		want RPM
		err  string
		is   error
	}{
		"a package":     {file: file, data: kernel, want: collected.RPMs[0]},
		"another name":  {file: "kernel.rpm", data: kernel, want: renamed},
		"a bit flipped": {file: file, data: broken, err: "reading kernel-1-1.x86_64.rpm: "},
		"no file":       {file: file, err: "reading a package: open ", is: os.ErrNotExist},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), test.file)
			if test.data != nil {
				if err := os.WriteFile(path, test.data, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			got, err := Read(path)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("got %v, want …%s…", err, test.err)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}
