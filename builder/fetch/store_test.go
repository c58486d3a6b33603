package fetch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestMemoAndScratch(t *testing.T) {
	s := open(t)
	if got := s.Recall("objects", "demo"); got != "" {
		t.Errorf("recalled %q", got)
	}
	if err := s.Remember("objects", "demo", "812"); err != nil {
		t.Fatal(err)
	}
	if got := s.Recall("objects", "demo"); got != "812" {
		t.Errorf("recalled %q", got)
	}
	f, err := s.Scratch()
	if err != nil {
		t.Fatal(err)
	}
	left(t, s)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Clear(); err != nil || s.Recall("objects", "demo") != "" {
		t.Errorf("after Clear: %v", err)
	}
}

// TestOpenSweeps checks that Open removes what a killed process left in tmp, and
// leaves what a running process has locked.
func TestOpenSweeps(t *testing.T) {
	s := open(t)
	dir, err := s.ScratchDir()
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(s.Dir(), "tmp", "dir-dead")
	if err := os.Mkdir(dead, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(s.Dir()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder of a dead process is left")
	}
	if _, err := os.Stat(dir.Path); err != nil {
		t.Error(err)
	}
	if err := dir.Remove(); err != nil {
		t.Fatal(err)
	}
	left(t, s)
}
