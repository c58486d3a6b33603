package fetch

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// MostKept bounds, in bytes, what the store keeps of things made of inputs; the demo's
// patched tree takes 0.22 GB of it, a CentOS 6 kernel's about 0.1 GB.
const MostKept = 2 << 30

// keptNote stands beside a kept file and makes it count: it is written last.
type keptNote struct {
	SHA256 string          `json:"sha256"`
	Size   int64           `json:"size"`
	About  json.RawMessage `json:"about"`
}

// Kept opens what was kept under a key, at its beginning, and reads its note
// into about. The whole file was read and has its digest: what changed on the
// disk is removed and not given out. The caller closes the file.
func (s *Store) Kept(key string, about any) (*os.File, bool) {
	path := s.keptPath(key)
	data, err := os.ReadFile(path + ".json")
	if err != nil {
		return nil, false
	}
	f, err := openKept(path, data, about)
	if err != nil {
		os.Remove(path + ".json")
		os.Remove(path)
		return nil, false
	}
	// The newest note is that of the file used last. That it stays as old as it
	// is, on a full disk, does no harm.
	_ = s.place(bytes.NewReader(data), path+".json")
	return f, true
}

func openKept(path string, data []byte, about any) (*os.File, error) {
	var note keptNote
	if err := json.Unmarshal(data, &note); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(note.About, about); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err == nil {
		if err = note.check(f); err != nil {
			f.Close()
		}
	}
	return f, err
}

func (n keptNote) check(f *os.File) error {
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err == nil && (size != n.Size || hex.EncodeToString(h.Sum(nil)) != n.SHA256) {
		err = errors.New("another file than was kept")
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	return err
}

// Keeping is a file on its way to be kept. One of Keep and Discard ends it.
type Keeping struct {
	store *Store
	key   string
	file  *os.File
	hash  hash.Hash
	size  int64
}

// StartKeeping opens an empty file that Keep puts under the key.
func (s *Store) StartKeeping(key string) (*Keeping, error) {
	f, err := s.newFile()
	if err != nil {
		return nil, fmt.Errorf("keeping: %w", err)
	}
	return &Keeping{store: s, key: key, file: f, hash: sha256.New()}, nil
}

// Write appends.
func (k *Keeping) Write(b []byte) (int, error) {
	n, err := k.file.Write(b)
	k.hash.Write(b[:n])
	k.size += int64(n)
	return n, err
}

// Keep puts the file and a note under its key, and makes room: of what the
// store keeps, what was not used for longest goes. It tells how many bytes
// it keeps now.
func (k *Keeping) Keep(about any) (all int64, err error) {
	note := keptNote{SHA256: hex.EncodeToString(k.hash.Sum(nil)), Size: k.size}
	if note.About, err = json.Marshal(about); err != nil {
		k.Discard()
		return 0, fmt.Errorf("keeping: %w", err)
	}
	data, _ := json.Marshal(note) // texts and a number alone: cannot fail
	path := k.store.keptPath(k.key)
	os.Remove(path + ".json") // of another file under this key
	if err := os.Rename(k.file.Name(), path); err != nil {
		k.Discard()
		return 0, fmt.Errorf("keeping: %w", err)
	}
	k.file.Close()
	if err := k.store.place(bytes.NewReader(data), path+".json"); err != nil {
		return 0, err
	}
	return k.store.makeRoom(k.key, MostKept)
}

// Discard throws the file away.
func (k *Keeping) Discard() {
	os.Remove(k.file.Name())
	k.file.Close()
}

func (s *Store) keptPath(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(s.dir, "kept", hex.EncodeToString(sum[:]))
}

// keptFile is a file in the folder of what is kept.
type keptFile struct {
	path string
	size int64
	used time.Time
}

// makeRoom removes the files used least lately until at most most bytes are
// left; that of key stays. It tells how many bytes are left.
func (s *Store) makeRoom(key string, most int64) (all int64, err error) {
	files, err := s.keptFiles()
	if err != nil {
		return 0, fmt.Errorf("making room in the store: %w", err)
	}
	for _, f := range files {
		all += f.size
	}
	slices.SortFunc(files, func(a, b keptFile) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	for _, f := range files {
		if f.path == s.keptPath(key) || all <= most && !f.used.IsZero() {
			continue
		}
		os.Remove(f.path + ".json")
		if os.Remove(f.path) == nil {
			all -= f.size
		}
	}
	return all, nil
}

// keptFiles are all of them; one without a note was never used.
func (s *Store) keptFiles() ([]keptFile, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "kept"))
	var files []keptFile
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		f := keptFile{path: filepath.Join(s.dir, "kept", e.Name()), size: info.Size()}
		if note, err := os.Stat(f.path + ".json"); err == nil {
			f.used = note.ModTime()
		}
		files = append(files, f)
	}
	return files, err
}
