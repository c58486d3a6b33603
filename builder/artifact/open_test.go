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

// TestOpen checks that Open returns what Collect returned, or notices what was
// changed since.
func TestOpen(t *testing.T) {
	kernel := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "1", Release: "1", Arch: "x86_64"})
	broken := append([]byte(nil), kernel...)
	broken[len(broken)-1] ^= 1
	tests := map[string]struct {
		files map[string][]byte
		want  string
		is    error
	}{
		"a set":         {files: map[string][]byte{"kernel-1-1.x86_64.rpm": kernel, "build.log": nil, "sub.rpm/x": nil}},
		"another name":  {files: map[string][]byte{"kernel.rpm": kernel}, want: "checking kernel.rpm: its header names it kernel-1-1.x86_64.rpm"},
		"a bit flipped": {files: map[string][]byte{"kernel-1-1.x86_64.rpm": broken}, want: "checking kernel-1-1.x86_64.rpm: "},
		"no package":    {files: map[string][]byte{"build.log": nil}, want: ": it holds no *.rpm", is: ErrNoPackages},
		"no folder":     {want: "opening set: open ", is: os.ErrNotExist},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "RPMS")
			for file, data := range test.files {
				if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o777), os.WriteFile(filepath.Join(dir, file), data, 0o666)); err != nil {
					t.Fatal(err)
				}
			}
			got, err := Open(dir)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("got %v, want …%s…", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want, err := Collect(bytes.NewReader(stream(t, member{"kernel-1-1.x86_64.rpm", kernel})), filepath.Join(t.TempDir(), "RPMS"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.RPMs, got.RPMs); diff != "" || got.Dir != dir {
				t.Errorf("%s: %s", got.Dir, diff)
			}
		})
	}
}
