// Package fetch downloads inputs, checks them, and keeps them in a store.
//
// [Open] opens a store, and [Store.Fetch] returns an [Input] as a [File] whose
// digest or signature is right. A file enters the store only after it has been
// checked, by rename and under its own sha256. Lookups read the file again, so that
// what has changed on the disk is never returned.
//
// The bytes of a File are those that were checked: it holds the open file, which
// nobody else can write to, or else a copy. A path is never opened a second time, and
// no symbolic link in the store is followed. What the store remembers of its own
// (values and derived files) is authenticated with a key in the store that only its
// user can read; what was not written with that key is ignored.
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
	key   []byte // see loadKey
	stall time.Duration
	lock  func(path string) (*os.File, error) // lockPart, but in a test
	pause func(context.Context, time.Duration) error
}

// folders are the folders of a store: checked files under their sha256, small
// values, files derived from inputs, files of running processes, and parts of
// downloads.
var folders = []string{"sha256", "memo", "kept", "tmp", "part"}

// File is a checked input. It is closed with Close.
type File struct {
	// Path is where the file is or was, for messages. Its bytes are read with Content.
	Path   string
	SHA256 string // lower-case hexadecimal
	Size   int64  // bytes
	// Cached reports whether it was in the store before.
	Cached bool
	// Waived says why it was refused, if Input.Waive took it anyway.
	Waived string

	content *os.File
}

// Open creates the missing folders of a store, and removes the unfinished files of
// killed processes, except for downloads, which Fetch continues.
func Open(dir string) (*Store, error) {
	for _, d := range folders {
		path := filepath.Join(dir, d)
		if err := os.MkdirAll(path, 0o777); err != nil {
			return nil, fmt.Errorf("opening the store: %w", err)
		}
		if info, err := os.Lstat(path); err != nil || !info.IsDir() {
			return nil, errors.Join(err, fmt.Errorf("opening the store: %s is not a folder", path))
		}
	}
	s := &Store{dir: dir, stall: stallTimeout, lock: lockPart, pause: sleep}
	s.key = s.loadKey()
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return s, nil
}

// Dir returns the folder of the store.
func (s *Store) Dir() string { return s.dir }

// Recall returns the value that Remember last saved under kind and key, or "". It
// ignores a value that was not written with the key of this store.
func (s *Store) Recall(kind, key string) string {
	b, err := readOwn(s.memoPath(kind, key))
	if err != nil {
		return ""
	}
	mac, value, _ := strings.Cut(string(b), "\n")
	value = strings.TrimSuffix(value, "\n")
	if !s.isMAC(mac, "memo", kind, key, value) {
		return ""
	}
	return value
}

// Remember saves a small value under kind and key for later runs, such as the
// digest of a URL or of a packed source, or the number of objects of a build.
func (s *Store) Remember(kind, key, value string) error {
	return s.writeFile(strings.NewReader(s.mac("memo", kind, key, value)+"\n"+value+"\n"), s.memoPath(kind, key))
}

// Lookup returns the file with a digest. It reads the complete file; if that has
// changed on the disk, it is removed and not returned. The caller closes the File.
func (s *Store) Lookup(digest string) (File, bool) {
	if !isDigest(digest) {
		return File{}, false
	}
	path := s.path(digest)
	file, err := openOwn(path, os.O_RDONLY, 0)
	if err != nil {
		return File{}, false
	}
	f, err := s.held(file)
	if err != nil {
		return File{}, false
	}
	if f.SHA256 != digest {
		os.Remove(path)
		f.Close()
		return File{}, false
	}
	f.Path, f.Cached = path, true
	return f, true
}

// isDigest reports whether a text is a sha256 in lower-case hexadecimal.
func isDigest(text string) bool {
	return len(text) == 2*sha256.Size && strings.Trim(text, "0123456789abcdef") == ""
}

// Add copies a file into the store under its own digest, if verify, unless that is
// nil, accepts the copy. The caller closes the File.
func (s *Store) Add(path string, verify Verify) (File, error) {
	from, err := openRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return File{}, err
	}
	defer from.Close()
	to, err := s.newFile()
	if err != nil {
		return File{}, fmt.Errorf("storing: %w", err)
	}
	f, err := s.addCopy(to, from, verify)
	if err != nil {
		os.Remove(to.Name())
		to.Close()
		return File{}, err
	}
	return f, nil
}

// addCopy copies a file to an empty one, and moves that to its place.
func (s *Store) addCopy(to, from *os.File, verify Verify) (File, error) {
	if _, err := io.Copy(to, from); err != nil {
		return File{}, fmt.Errorf("storing: %w", err)
	}
	f, err := digested(to)
	if err != nil {
		return File{}, err
	}
	if err := compare(f, "", verify); err != nil {
		return File{}, err
	}
	f.Path = s.path(f.SHA256)
	if err := errors.Join(to.Chmod(0o644), os.Rename(to.Name(), f.Path)); err != nil {
		return File{}, fmt.Errorf("storing: %w", err)
	}
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
	if err := os.Remove(filepath.Join(s.dir, "key")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("clearing the store: %w", err)
	}
	fresh, err := Open(s.dir)
	if err == nil {
		s.key = fresh.key
	}
	return err
}
