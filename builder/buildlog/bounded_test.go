package buildlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBounded writes logs of many lengths and compares the complete files.
func TestBounded(t *testing.T) {
	line := func(i int) string { return fmt.Sprintf("line %04d\n", i) } // 10 bytes
	lines := func(from, to int) string {
		var all strings.Builder
		for i := from; i < to; i++ {
			all.WriteString(line(i))
		}
		return all.String()
	}
	told := func(n int) string {
		return fmt.Sprintf("\n[%d bytes of the log are left out here: it keeps its first 100 and last 50 bytes]\n", n)
	}
	for n, want := range map[int]string{
		0:   "",
		10:  lines(0, 10),
		15:  lines(0, 15),
		16:  lines(0, 10) + told(20) + lines(12, 16), // the oldest line of the tail may be cut
		18:  lines(0, 10) + told(40) + lines(14, 18),
		100: lines(0, 10) + told(860) + lines(96, 100),
	} {
		f, path := logFile(t)
		b := &Bounded{File: f, Head: 100, Tail: 50}
		for i := range n {
			if _, err := b.Write([]byte(line(i))); err != nil {
				t.Fatal(err)
			}
		}
		left, err := b.Close()
		got, rerr := os.ReadFile(path)
		if err != nil || rerr != nil || string(got) != want || (left > 0) != (n > 15) {
			t.Errorf("%d lines: got %q, want %q; %d left out, %v", n, got, want, left, err)
		}
	}
}

// TestBoundedLongWrites writes more at once than the tail holds, without an end of
// line.
func TestBoundedLongWrites(t *testing.T) {
	f, path := logFile(t)
	b := &Bounded{File: f, Head: 10, Tail: 7}
	for _, text := range []string{"0123", "456789abcdefghijklmnopqrstuvwxyz", "ABC"} {
		if n, err := b.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
	}
	left, err := b.Close()
	got, _ := os.ReadFile(path)
	want := "0123\n[28 bytes of the log are left out here: it keeps its first 10 and last 7 bytes]\nwxyzABC"
	if string(got) != want || left != 28 || err != nil {
		t.Errorf("got %q, %d, %v", got, left, err)
	}
}

// TestBoundedDefault checks that a Bounded without limits has the default ones.
func TestBoundedDefault(t *testing.T) {
	f, _ := logFile(t)
	b := &Bounded{File: f}
	if _, err := b.Write([]byte("x")); err != nil || b.Head != 256<<20 || b.Tail != 64<<20 {
		t.Errorf("got limits of %d and %d, %v", b.Head, b.Tail, err)
	}
}

type fullFile struct{ File }

func (fullFile) WriteAt([]byte, int64) (int, error) { return 0, errors.New("no room") }

func TestBoundedOnAFullDisk(t *testing.T) {
	b := &Bounded{File: fullFile{}}
	if n, err := b.Write([]byte("x")); n != 0 || err == nil {
		t.Errorf("got %d, %v", n, err)
	}
	if n, err := b.Close(); n != 0 || err != nil {
		t.Errorf("closing: got %d, %v", n, err)
	}
}

func logFile(t *testing.T) (*os.File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "build.log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, path
}
