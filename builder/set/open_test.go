package set_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"namibuild/builder/buildertest"
	"namibuild/builder/set"
)

// TestOpenIn checks that OpenIn opens regular files only, and follows no link below the
// folder.
func TestOpenIn(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "set")
	err := errors.Join(os.MkdirAll(filepath.Join(dir, "sub"), 0o777), os.WriteFile(filepath.Join(dir, "sub", "file"), []byte("x"), 0o666),
		os.WriteFile(filepath.Join(top, "secret"), []byte("s"), 0o666), os.Symlink("../secret", filepath.Join(dir, "out")), os.Symlink("sub/file", filepath.Join(dir, "in")),
		os.Symlink("sub", filepath.Join(dir, "folder")), os.Symlink(dir, filepath.Join(top, "link")), syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o666))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, want := range map[string]string{
		"out": "/set/out is a symbolic link, which is not used", "in": "is a symbolic link", "folder/file": "/set/folder is a symbolic link",
		"fifo": "is a FIFO", "socket": "is a socket", "sub": "is a folder", "none": "/set/none: no such file", "../secret": "path escapes", "sub/file/x": "sub/file is a file",
	} {
		f, err := set.OpenIn(dir, name)
		if err == nil {
			f.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s…", name, err, want)
		}
	}
	for _, dir := range []string{dir, filepath.Join(top, "link")} { // the folder itself may be a link
		f, err := set.OpenIn(dir, "sub/file")
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(f); string(data) != "x" || err != nil {
			t.Errorf("got %q, %v", data, err)
		}
		f.Close()
	}
}

// TestOpenRefusesLinks checks that Open refuses a link to a package, to a record, and to a
// folder of packages, but ignores a link that has no name of a set's file.
func TestOpenRefusesLinks(t *testing.T) {
	for _, name := range []string{set.RPMS, set.RPMS + "/" + kernelRPM, set.RecordFile, set.BenchCSV, set.SRPMS, set.Repodata, set.Repodata + "/x"} {
		dir := buildertest.Build(t)
		file, moved := filepath.Join(dir, name), filepath.Join(t.TempDir(), "moved")
		if err := os.Rename(file, moved); errors.Is(err, os.ErrNotExist) {
			err = errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.Mkdir(moved, 0o777))
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(moved, file); err != nil {
			t.Fatal(err)
		}
		if _, err := set.Open(dir); !errors.As(err, new(*set.IrregularError)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	dir := buildertest.Build(t)
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "notes")); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(t.TempDir(), "current")
	if err := os.Symlink(dir, linked); err != nil {
		t.Fatal(err)
	}
	if s, err := set.Open(linked); err != nil || len(s.RPMs) != 1 || len(s.Files) != 4 {
		t.Errorf("a set by a link: %d packages, %d files, %v", len(s.RPMs), len(s.Files), err)
	}
}
