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

func store(t *testing.T, s *Store, key, text string) {
	t.Helper()
	k, err := s.CreateDerived(key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(k, text); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Commit(about{"it is " + key}); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, s *Store, key string) (text, note string) {
	t.Helper()
	var a about
	f, ok := s.OpenDerived(key, &a)
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

func TestDerived(t *testing.T) {
	s := open(t)
	if text, _ := load(t, s, "a"); text != "" {
		t.Errorf("got %q from an empty store", text)
	}
	store(t, s, "a", "one")
	store(t, s, "a", "two")
	store(t, s, "b", "three")
	if text, note := load(t, s, "a"); text != "two" || note != "it is a" {
		t.Errorf("got %q, %q", text, note)
	}
	k, err := s.CreateDerived("c")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(k, "half")
	k.Discard()
	if text, _ := load(t, s, "c"); text != "" {
		t.Errorf("got %q, which was discarded", text)
	}
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	if text, _ := load(t, s, "b"); text != "" {
		t.Errorf("got %q from a cleared store", text)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir(), "*", "*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestDerivedDamaged checks that a changed file is removed and not returned.
func TestDerivedDamaged(t *testing.T) {
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
			store(t, s, "a", "two")
			if err := damage(s.derivedPath("a")); err != nil {
				t.Fatal(err)
			}
			if text, _ := load(t, s, "a"); text != "" {
				t.Errorf("got %q", text)
			}
			store(t, s, "a", "two")
			if text, _ := load(t, s, "a"); text != "two" {
				t.Errorf("stored again: %q", text)
			}
		})
	}
}

// TestMakeRoom checks that the files used last are kept.
func TestMakeRoom(t *testing.T) {
	s := open(t)
	for i, key := range []string{"a", "b", "c", "d"} {
		store(t, s, key, strings.Repeat(key, 100))
		old := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(s.derivedPath(key)+".json", old, old); err != nil {
			t.Fatal(err)
		}
	}
	load(t, s, "a") // is now the newest
	if err := os.WriteFile(s.derivedPath("stray"), make([]byte, 100), 0o666); err != nil {
		t.Fatal(err)
	}
	all, err := s.makeRoom("b", 350)
	if err != nil || all != 300 {
		t.Errorf("%d bytes, %v", all, err)
	}
	for key, want := range map[string]bool{"a": true, "b": true, "c": false, "d": true} {
		if text, _ := load(t, s, key); (text != "") != want {
			t.Errorf("%s: %q", key, text)
		}
	}
	if _, err := os.Stat(s.derivedPath("stray")); err == nil {
		t.Error("a file without a note is left")
	}
}
