// Package fetch brings inputs in and keeps them: a file enters the store only
// after it was checked, under its own sha256, by rename. A file that lies on
// the host already is checked where it lies.
//
// A download goes on where another try, another mirror or a killed process left
// off. Who wrote the pieces does not matter: the whole file's digest or signature
// decides, and what is refused is thrown away.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Store is a folder of checked inputs. Several processes may use it at once:
// files appear by rename and are never changed.
type Store struct {
	dir   string
	stall time.Duration
	pause func(context.Context, time.Duration) error
}

// folders are what a store consists of: checked files under their sha256, small
// notes, what was made of inputs, files that a living process works on, and parts
// of downloads.
var folders = []string{"sha256", "memo", "kept", "tmp", "part"}

// File is an input that was checked.
type File struct {
	Path   string
	SHA256 string // lower-case hexadecimal
	Size   int64  // bytes
	// Cached says that it was in the store already.
	Cached bool
	// Waived is what was wrong with it when it was taken all the same.
	Waived string
}

// Open makes the store's folders where they are missing, and removes what a
// killed process left half done; of a download, Fetch goes on with it.
func Open(dir string) (*Store, error) {
	for _, d := range folders {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o777); err != nil {
			return nil, fmt.Errorf("opening the store: %w", err)
		}
	}
	s := &Store{dir: dir, stall: stall, pause: sleep}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return s, nil
}

// Dir is the folder that Open was given.
func (s *Store) Dir() string { return s.dir }

// Recall gives the value last remembered under kind and key, or "".
func (s *Store) Recall(kind, key string) string {
	b, err := os.ReadFile(s.memo(kind, key))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Remember notes a small value under kind and key, for later runs: the digest
// that a URL or a packed source had, how many objects a build made.
func (s *Store) Remember(kind, key, value string) error {
	return s.place(strings.NewReader(value+"\n"), s.memo(kind, key))
}

// Held looks a digest up and reads the whole file again: what changed on the
// disk since is not given out but removed.
func (s *Store) Held(digest string) (File, bool) {
	path := s.path(digest)
	f, err := Check(path, digest, nil)
	if err == nil {
		f.Cached = true
		return f, true
	}
	if mismatch := (*DigestError)(nil); errors.As(err, &mismatch) {
		os.Remove(path)
	}
	return File{}, false
}

// Take moves a finished file into the store under the digest it has.
func (s *Store) Take(path string) (File, error) {
	f, err := Check(path, "", nil)
	if err != nil {
		return File{}, err
	}
	if err := os.Rename(path, s.path(f.SHA256)); err != nil {
		return File{}, fmt.Errorf("storing: %w", err)
	}
	f.Path = s.path(f.SHA256)
	return f, nil
}

func (s *Store) path(digest string) string { return filepath.Join(s.dir, "sha256", digest) }

func (s *Store) memo(kind, key string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + key))
	return filepath.Join(s.dir, "memo", kind+"-"+hex.EncodeToString(sum[:16]))
}

// place writes a file under a temporary name and renames it to path.
func (s *Store) place(r io.Reader, path string) error {
	tmp, err := s.newFile()
	if err != nil {
		return fmt.Errorf("storing: %w", err)
	}
	_, err = io.Copy(tmp, r)
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("storing: %w", err)
	}
	return nil
}

// Clear removes everything that the store keeps.
func (s *Store) Clear() error {
	for _, d := range folders {
		if err := os.RemoveAll(filepath.Join(s.dir, d)); err != nil {
			return fmt.Errorf("clearing the store: %w", err)
		}
	}
	_, err := Open(s.dir)
	return err
}
