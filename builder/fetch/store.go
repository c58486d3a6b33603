// Package fetch downloads inputs, checks them, and keeps them in a store.
//
// [Open] opens a store, and [Store.Fetch] returns an [Input] as a [File] whose
// digest or signature is right. A file enters the store only after it has been
// checked, by rename and under its own sha256. A file of this host is checked in
// its place and not copied. Lookups read the file again, so that what has changed
// on the disk is never returned.
//
// A download continues where another try, another mirror or a killed process
// stopped. Who wrote the pieces does not matter: the digest or signature of the
// complete file decides, and a file that is refused is removed.
//
// The store also keeps small values (Remember, Recall), files that were derived
// from inputs, up to a limit (CreateDerived, OpenDerived), and scratch files and
// folders (Scratch, ScratchDir). Several processes may use a store at once.
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

// Store is a folder of checked inputs. Several processes may use it at once,
// because files appear by rename and are never changed.
type Store struct {
	dir   string
	stall time.Duration
	pause func(context.Context, time.Duration) error
}

// folders are the folders of a store: checked files under their sha256, small
// values, files derived from inputs, files of running processes, and parts of
// downloads.
var folders = []string{"sha256", "memo", "kept", "tmp", "part"}

// File is a checked input.
type File struct {
	Path   string
	SHA256 string // lower-case hexadecimal
	Size   int64  // bytes
	// Cached reports whether it was in the store before.
	Cached bool
	// Waived says why it was refused, if Input.Waive took it anyway.
	Waived string
}

// Open creates the missing folders of a store, and removes the unfinished files of
// killed processes, except for downloads, which Fetch continues.
func Open(dir string) (*Store, error) {
	for _, d := range folders {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o777); err != nil {
			return nil, fmt.Errorf("opening the store: %w", err)
		}
	}
	s := &Store{dir: dir, stall: stallTimeout, pause: sleep}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return s, nil
}

// Dir returns the folder of the store.
func (s *Store) Dir() string { return s.dir }

// Recall returns the value that Remember last saved under kind and key, or "".
func (s *Store) Recall(kind, key string) string {
	b, err := os.ReadFile(s.memoPath(kind, key))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Remember saves a small value under kind and key for later runs, such as the
// digest of a URL or of a packed source, or the number of objects of a build.
func (s *Store) Remember(kind, key, value string) error {
	return s.writeFile(strings.NewReader(value+"\n"), s.memoPath(kind, key))
}

// Lookup returns the file with a digest. It reads the complete file; if that has
// changed on the disk, it is removed and not returned.
func (s *Store) Lookup(digest string) (File, bool) {
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

// Add moves a file into the store under its own digest.
func (s *Store) Add(path string) (File, error) {
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

func (s *Store) memoPath(kind, key string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + key))
	return filepath.Join(s.dir, "memo", kind+"-"+hex.EncodeToString(sum[:16]))
}

// writeFile writes a file under a temporary name and renames it to path.
func (s *Store) writeFile(r io.Reader, path string) error {
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

// Clear removes everything in the store.
func (s *Store) Clear() error {
	for _, d := range folders {
		if err := os.RemoveAll(filepath.Join(s.dir, d)); err != nil {
			return fmt.Errorf("clearing the store: %w", err)
		}
	}
	_, err := Open(s.dir)
	return err
}
