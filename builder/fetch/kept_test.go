package fetch

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type about struct{ Name string }

func keep(t *testing.T, s *Store, key, text string) {
	t.Helper()
	k, err := s.StartKeeping(key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(k, text); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Keep(about{"it is " + key}); err != nil {
		t.Fatal(err)
	}
}

func kept(t *testing.T, s *Store, key string) (text, note string) {
	t.Helper()
	var a about
	f, ok := s.Kept(key, &a)
	if !ok {
		return "", ""
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(data), a.Name
}

func TestKept(t *testing.T) {
	s := open(t)
	if text, _ := kept(t, s, "a"); text != "" {
		t.Errorf("nothing was kept, and there is %q", text)
	}
	keep(t, s, "a", "one")
	keep(t, s, "a", "two")
	keep(t, s, "b", "three")
	if text, note := kept(t, s, "a"); text != "two" || note != "it is a" {
		t.Errorf("got %q, %q", text, note)
	}
	k, err := s.StartKeeping("c")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(k, "half")
	k.Discard()
	if text, _ := kept(t, s, "c"); text != "" {
		t.Errorf("what was discarded is there: %q", text)
	}
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	if text, _ := kept(t, s, "b"); text != "" {
		t.Errorf("a cleared store has %q", text)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir(), "*", "*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// What is not as it was kept is not given out, and goes.
func TestKeptDamaged(t *testing.T) {
	for name, damage := range map[string]func(string) error{
		"one bit":   func(path string) error { return os.WriteFile(path, []byte("twn"), 0o666) },
		"cut":       func(path string) error { return os.Truncate(path, 1) },
		"longer":    func(path string) error { return os.WriteFile(path, []byte("two "), 0o666) },
		"gone":      os.Remove,
		"no note":   func(path string) error { return os.Remove(path + ".json") },
		"half note": func(path string) error { return os.Truncate(path+".json", 10) },
		"its about": func(path string) error {
			return os.WriteFile(path+".json", []byte(`{"sha256":"","size":3,"about":[]}`), 0o666)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			keep(t, s, "a", "two")
			if err := damage(s.keptPath("a")); err != nil {
				t.Fatal(err)
			}
			if text, _ := kept(t, s, "a"); text != "" {
				t.Errorf("got %q", text)
			}
			keep(t, s, "a", "two")
			if text, _ := kept(t, s, "a"); text != "two" {
				t.Errorf("kept again: %q", text)
			}
		})
	}
}

// The store keeps what was used last.
func TestMakeRoom(t *testing.T) {
	s := open(t)
	for i, key := range []string{"a", "b", "c", "d"} {
		keep(t, s, key, strings.Repeat(key, 100))
		old := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(s.keptPath(key)+".json", old, old); err != nil {
			t.Fatal(err)
		}
	}
	kept(t, s, "a") // the newest now
	if err := os.WriteFile(s.keptPath("stray"), make([]byte, 100), 0o666); err != nil {
		t.Fatal(err)
	}
	all, err := s.makeRoom("b", 350)
	if err != nil || all != 300 {
		t.Errorf("%d bytes, %v", all, err)
	}
	for key, want := range map[string]bool{"a": true, "b": true, "c": false, "d": true} {
		if text, _ := kept(t, s, key); (text != "") != want {
			t.Errorf("%s: %q", key, text)
		}
	}
	if _, err := os.Stat(s.keptPath("stray")); err == nil {
		t.Error("what has no note is still there")
	}
}
