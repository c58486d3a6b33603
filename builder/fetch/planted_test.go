package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// content reads a File's content.
func content(t *testing.T, f File) string {
	t.Helper()
	data, err := io.ReadAll(f.Content())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// changes change a file so that it has other bytes.
var changes = map[string]func(path string) error{
	"in place": func(path string) error { return os.WriteFile(path, other, 0o666) },
	"by rename": func(path string) error {
		return errors.Join(os.WriteFile(path+"2", other, 0o666), os.Rename(path+"2", path))
	},
	"removed": os.Remove,
}

// TestContentStays checks that a File has the bytes that were checked, whatever
// becomes of the file.
func TestContentStays(t *testing.T) {
	const shared = 0o666 // a file of the store that others can write to
	for name, test := range map[string]struct {
		change string
		mode   os.FileMode // of the file in the store, or 0 for a file of the host
	}{
		"host, in place":          {"in place", 0},
		"host, by rename":         {"by rename", 0},
		"host, removed":           {"removed", 0},
		"store, by rename":        {"by rename", 0o644},
		"store, removed":          {"removed", 0o644},
		"shared store, in place":  {"in place", shared},
		"shared store, by rename": {"by rename", shared},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			in := Input{File: filepath.Join(t.TempDir(), "a"), SHA256: digest(body)}
			path := in.File
			if test.mode != 0 {
				in.File, in.URL, path = "", "http://example.invalid/a", s.path(digest(body))
			}
			if err := errors.Join(os.WriteFile(path, body, 0o600), os.Chmod(path, max(test.mode, 0o600))); err != nil {
				t.Fatal(err)
			}
			f, err := s.Fetch(context.Background(), in, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := changes[test.change](path); err != nil {
				t.Fatal(err)
			}
			if got := content(t, f); got != string(body) {
				t.Errorf("got %d other bytes", len(got))
			}
		})
	}
}

// TestCheckWithoutAStore checks that a file of the host is checked if the store
// cannot be written to.
func TestCheckWithoutAStore(t *testing.T) {
	s := open(t)
	if err := os.Remove(s.tmp()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := s.Check(path, digest(body), nil)
	if err != nil || content(t, f) != string(body) {
		t.Errorf("got %+v, %v", f, err)
	}
	f.Close()
}

// TestDownloadStays checks that the bytes of a download are those that were checked,
// not those that are at its path afterwards.
func TestDownloadStays(t *testing.T) {
	s, _ := withoutPauses(t)
	server := &script{answers: []answer{served(body, `"1"`)}}
	f, err := s.Fetch(context.Background(), Input{URL: serve(t, server.ServeHTTP), SHA256: digest(body)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := changes["by rename"](f.Path); err != nil {
		t.Fatal(err)
	}
	if got := content(t, f); got != string(body) {
		t.Errorf("got %d other bytes", len(got))
	}
	if _, ok := s.Lookup(digest(body)); ok {
		t.Error("other bytes were found under the digest")
	}
}

// TestAddVerifies checks that Add checks the copy that it stores.
func TestAddVerifies(t *testing.T) {
	s := open(t)
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	if _, err := s.Add(path, func(io.Reader) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	left(t, s)
	f, err := s.Add(path, func(r io.Reader) error {
		got, err := io.ReadAll(r)
		if !bytes.Equal(got, body) {
			err = refused
		}
		return err
	})
	if err != nil || f.Path != s.path(digest(body)) || content(t, f) != string(body) {
		t.Errorf("got %+v, %v", f, err)
	}
	f.Close()
	left(t, s, digest(body))
}

// TestPlantedValues checks that only values that were written with the key of the
// store are recalled, and only under their name.
func TestPlantedValues(t *testing.T) {
	foreign := open(t)
	if err := foreign.Remember("pack", "a", "evil"); err != nil {
		t.Fatal(err)
	}
	copied := func(from string) func(*Store, string) error {
		return func(_ *Store, to string) error {
			data, err := os.ReadFile(from)
			return errors.Join(err, os.WriteFile(to, data, 0o666))
		}
	}
	for name, plant := range map[string]func(s *Store, path string) error{
		"without a code":    func(_ *Store, path string) error { return os.WriteFile(path, []byte("evil\n"), 0o666) },
		"with a wrong code": func(_ *Store, path string) error { return os.WriteFile(path, []byte(digest(body)+"\nevil\n"), 0o666) },
		"of another store":  copied(foreign.memoPath("pack", "a")),
		"of another key":    func(s *Store, path string) error { return copied(s.memoPath("pack", "b"))(s, path) },
		"of another kind":   func(s *Store, path string) error { return copied(s.memoPath("url", "a"))(s, path) },
		"a link": func(s *Store, path string) error {
			return errors.Join(os.Remove(path), os.Rename(s.memoPath("pack", "real"), path+"2"), os.Symlink(path+"2", path))
		},
		"a pipe": func(_ *Store, path string) error { return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o666)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			for _, memo := range [][3]string{{"pack", "a", "good"}, {"pack", "b", "evil"}, {"url", "a", "evil"}, {"pack", "real", "evil"}} {
				if err := s.Remember(memo[0], memo[1], memo[2]); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.Recall("pack", "a"); got != "good" {
				t.Fatalf("recalled %q", got)
			}
			if err := plant(s, s.memoPath("pack", "a")); err != nil {
				t.Fatal(err)
			}
			if got := s.Recall("pack", "a"); got != "" {
				t.Errorf("recalled %q", got)
			}
			if err := s.Remember("pack", "a", "new"); err != nil || s.Recall("pack", "a") != "new" {
				t.Errorf("remembered again: %q, %v", s.Recall("pack", "a"), err)
			}
		})
	}
}

// TestPlantedDerived checks that only files that were kept with the key of the store
// are returned, and only under their own key.
func TestPlantedDerived(t *testing.T) {
	foreign := open(t)
	store(t, foreign, "a", "evil")
	copied := func(from, to string) error {
		var failed error
		for _, end := range []string{"", ".json"} {
			data, err := os.ReadFile(from + end)
			failed = errors.Join(failed, err, os.WriteFile(to+end, data, 0o666))
		}
		return failed
	}
	for name, plant := range map[string]func(s *Store, path string) error{
		"without a code": func(_ *Store, path string) error {
			note := fmt.Sprintf(`{"sha256":%q,"size":4,"about":{}}`, digest([]byte("evil")))
			return errors.Join(os.WriteFile(path, []byte("evil"), 0o666), os.WriteFile(path+".json", []byte(note), 0o666))
		},
		"another description": func(_ *Store, path string) error {
			data, err := os.ReadFile(path + ".json")
			return errors.Join(err, os.WriteFile(path+".json", bytes.Replace(data, []byte("it is a"), []byte("it is b"), 1), 0o666))
		},
		"of another store": func(_ *Store, path string) error { return copied(foreign.derivedPath("a"), path) },
		"of another key":   func(s *Store, path string) error { return copied(s.derivedPath("b"), path) },
		"a link to the file": func(_ *Store, path string) error {
			return errors.Join(os.Rename(path, path+"2"), os.Symlink(path+"2", path))
		},
		"a link to the note": func(_ *Store, path string) error {
			return errors.Join(os.Rename(path+".json", path+"2"), os.Symlink(path+"2", path+".json"))
		},
		"a pipe": func(_ *Store, path string) error { return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o666)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			store(t, s, "a", "good")
			store(t, s, "b", "evil")
			if err := plant(s, s.derivedPath("a")); err != nil {
				t.Fatal(err)
			}
			if text, note := load(t, s, "a"); text != "" {
				t.Errorf("got %q, %q", text, note)
			}
			store(t, s, "a", "good")
			if text, _ := load(t, s, "a"); text != "good" {
				t.Errorf("stored again: %q", text)
			}
		})
	}
}

// TestDerivedStays checks that a derived file has the bytes that were checked, if
// somebody who planted the same bytes changes them afterwards.
func TestDerivedStays(t *testing.T) {
	s := open(t)
	store(t, s, "a", "good")
	if err := os.Chmod(s.derivedPath("a"), 0o666); err != nil {
		t.Fatal(err)
	}
	f, ok := s.OpenDerived("a", new(json.RawMessage))
	if !ok {
		t.Fatal("not found")
	}
	defer f.Close()
	if err := os.WriteFile(s.derivedPath("a"), []byte("evil"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(f); string(got) != "good" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestKey checks that a store has one key, which only its user can read, and that a
// file that somebody else could have read is not taken for it.
func TestKey(t *testing.T) {
	s := open(t)
	path := filepath.Join(s.Dir(), "key")
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o600 || info.Size() != keySize {
		t.Fatalf("got %v, %v", info, err)
	}
	if err := s.Remember("a", "b", "c"); err != nil {
		t.Fatal(err)
	}
	reopened := func() *Store {
		again, err := Open(s.Dir())
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	if got := reopened().Recall("a", "b"); got != "c" {
		t.Errorf("recalled %q after opening the store again", got)
	}
	key := bytes.Clone(s.key)
	for name, damage := range map[string]func() error{
		"readable":  func() error { return os.Chmod(path, 0o644) },
		"too short": func() error { return os.Truncate(path, 31) },
		"too long":  func() error { return os.WriteFile(path, make([]byte, 33), 0o600) },
		"removed":   func() error { return os.Remove(path) },
		"a link": func() error {
			return errors.Join(os.Remove(path), os.WriteFile(path+"2", key, 0o600), os.Symlink(path+"2", path))
		},
	} {
		if err := errors.Join(damage()); err != nil {
			t.Fatal(err)
		}
		again := reopened()
		if bytes.Equal(again.key, key) || len(again.key) != keySize {
			t.Errorf("%s: the key is taken", name)
		}
		if got := again.Recall("a", "b"); got != "" {
			t.Errorf("%s: recalled %q", name, got)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode() != 0o600 || !bytes.Equal(reopened().key, again.key) {
			t.Errorf("%s: the new key is not kept: %v, %v", name, info, err)
		}
		if err := errors.Join(os.Remove(path), os.WriteFile(path, key, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoKey checks that a store whose key cannot be kept works for one process.
func TestNoKey(t *testing.T) {
	s := open(t)
	path := filepath.Join(s.Dir(), "key")
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700), os.WriteFile(filepath.Join(path, "a"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	again, err := Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Remember("a", "b", "c"); err != nil || again.Recall("a", "b") != "c" {
		t.Errorf("recalled %q, %v", again.Recall("a", "b"), err)
	}
	third, err := Open(s.Dir())
	if err != nil || third.Recall("a", "b") != "" {
		t.Errorf("recalled %q in another process, %v", third.Recall("a", "b"), err)
	}
	left(t, s)
}

// TestPlantedLinks checks that no symbolic link in the store is followed, and that
// the file that it names stays as it was.
func TestPlantedLinks(t *testing.T) {
	victim := filepath.Join(t.TempDir(), "victim")
	for name, path := range map[string]func(*Store) string{
		"a part":             func(s *Store) string { return s.partPath(digest(body)) },
		"the note of a part": func(s *Store) string { return s.partPath(digest(body)) + ".json" },
		"an input":           func(s *Store) string { return s.path(digest(body)) },
		"a value":            func(s *Store) string { return s.memoPath("url", "") },
		"a scratch file":     func(s *Store) string { return filepath.Join(s.tmp(), "new-1") },
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(victim, body, 0o600); err != nil {
				t.Fatal(err)
			}
			s, _ := withoutPauses(t)
			if err := os.Symlink(victim, path(s)); err != nil {
				t.Fatal(err)
			}
			if f, ok := s.Lookup(digest(body)); ok {
				t.Errorf("found %+v", f)
			}
			server := &script{answers: []answer{served(body, `"1"`)}}
			f, err := s.Fetch(context.Background(), Input{URL: serve(t, server.ServeHTTP), SHA256: digest(body)}, nil)
			if err != nil || len(server.requests) != 1 || content(t, f) != string(body) {
				t.Errorf("got %+v, %v, %d requests", f, err, len(server.requests))
			}
			f.Close()
			if _, err := Open(s.Dir()); err != nil {
				t.Error(err)
			}
			if info, err := os.Lstat(s.path(digest(body))); err != nil || !info.Mode().IsRegular() {
				t.Errorf("the input is %v, %v", info, err)
			}
			if got, err := os.ReadFile(victim); !bytes.Equal(got, body) || err != nil {
				t.Errorf("the victim has %d bytes, %v", len(got), err)
			}
		})
	}
}

// TestPlantedFolder checks that a folder of the store is not a symbolic link.
func TestPlantedFolder(t *testing.T) {
	s := open(t)
	kept := filepath.Join(s.Dir(), "kept")
	if err := errors.Join(os.Remove(kept), os.Symlink(t.TempDir(), kept)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(s.Dir()); err == nil || !strings.HasSuffix(err.Error(), "kept is not a folder") {
		t.Errorf("got %v", err)
	}
}

// TestPlantedPipes checks that a named pipe in the store or at the place of a source
// is not waited for.
func TestPlantedPipes(t *testing.T) {
	s, _ := withoutPauses(t)
	source := filepath.Join(t.TempDir(), "a")
	for _, path := range []string{source, s.path(digest(body)), s.partPath(digest(body)), filepath.Join(s.tmp(), "new-1")} {
		if err := syscall.Mkfifo(path, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(s.Dir()); err != nil {
		t.Error(err)
	}
	if _, err := s.Fetch(context.Background(), Input{File: source, SHA256: digest(body)}, nil); !errors.Is(err, errNotRegular) {
		t.Errorf("got %v", err)
	}
	server := &script{answers: []answer{served(body, `"1"`)}}
	f, err := s.Fetch(context.Background(), Input{URL: serve(t, server.ServeHTTP), SHA256: digest(body)}, nil)
	if err != nil || content(t, f) != string(body) {
		t.Errorf("got %+v, %v", f, err)
	}
	f.Close()
	left(t, s, digest(body))
}

// TestSharedPart checks that a part that others can write to is not continued.
func TestSharedPart(t *testing.T) {
	s, _ := withoutPauses(t)
	path := s.partPath(digest(body))
	if err := errors.Join(os.WriteFile(path, body[:1000], 0o600), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	planted, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer planted.Close()
	server := &script{answers: []answer{served(body, `"1"`)}}
	f, err := s.Fetch(context.Background(), Input{URL: serve(t, server.ServeHTTP), SHA256: digest(body)}, nil)
	if err != nil || server.requests[0] != "" {
		t.Fatalf("%v, requests %q", err, server.requests)
	}
	defer f.Close()
	if _, err := planted.WriteAt(other[:1000], 0); err != nil {
		t.Fatal(err)
	}
	if got := content(t, f); got != string(body) {
		t.Errorf("got %d other bytes", len(got))
	}
}

// TestLookupTakesDigestsOnly checks that what is not a digest is no path.
func TestLookupTakesDigestsOnly(t *testing.T) {
	s := open(t)
	if err := os.WriteFile(filepath.Join(s.Dir(), "evil"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "../evil", strings.ToUpper(digest(body)), digest(body)[1:]} {
		if f, ok := s.Lookup(name); ok {
			t.Errorf("%q: found %+v", name, f)
		}
	}
}
