package fetch

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxDerived limits, in bytes, the size of all derived files in the store. The
// demo's patched tree takes 0.22 GB of it, that of a CentOS 6 kernel about 0.1 GB.
const MaxDerived = 2 << 30

// derivedNote is stored beside a derived file. It is written last, and a file
// without one is not used.
type derivedNote struct {
	SHA256 string          `json:"sha256"`
	Size   int64           `json:"size"`
	About  json.RawMessage `json:"about"`
	// MAC authenticates the rest, and the key of the file.
	MAC string `json:"mac"`
}

// noteMAC returns the code of the note of a derived file.
func (s *Store) noteMAC(key string, n derivedNote) string {
	return s.mac("kept", key, n.SHA256, strconv.FormatInt(n.Size, 10), string(n.About))
}

// OpenDerived opens the derived file of a key at its beginning, and decodes its
// description into about. It reads the complete file before; if that has changed
// on the disk, or was not written with the key of this store, it is removed and not
// returned. The caller closes the file.
func (s *Store) OpenDerived(key string, about any) (*os.File, bool) {
	path := s.derivedPath(key)
	data, err := readOwn(path + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	var f *os.File
	if err == nil {
		f, err = s.openDerived(key, data, about)
	}
	if err != nil {
		os.Remove(path + ".json")
		os.Remove(path)
		return nil, false
	}
	// The time of a note is when its file was used last. If it cannot be written,
	// on a full disk, the time stays as it is, which does no harm.
	_ = s.writeFile(bytes.NewReader(data), path+".json")
	return f, true
}

func (s *Store) openDerived(key string, data []byte, about any) (*os.File, error) {
	var note derivedNote
	if err := json.Unmarshal(data, &note); err != nil {
		return nil, err
	}
	if mac := s.noteMAC(key, note); !hmac.Equal([]byte(note.MAC), []byte(mac)) {
		return nil, errors.New("it was not written with the key of this store")
	}
	if err := json.Unmarshal(note.About, about); err != nil {
		return nil, err
	}
	file, err := openOwn(s.derivedPath(key), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	f, err := s.held(file)
	if err != nil {
		return nil, err
	}
	if f.Size != note.Size || f.SHA256 != note.SHA256 {
		return nil, errors.Join(errors.New("the file has changed"), f.Close())
	}
	_, err = f.content.Seek(0, io.SeekStart)
	return f.content, err
}

// DerivedWriter writes a derived file. The caller ends it with Commit or Discard.
type DerivedWriter struct {
	store *Store
	key   string
	file  *os.File
	hash  hash.Hash
	size  int64
}

// CreateDerived opens an empty file, which Commit stores under the key.
func (s *Store) CreateDerived(key string) (*DerivedWriter, error) {
	f, err := s.newFile()
	if err != nil {
		return nil, fmt.Errorf("storing: %w", err)
	}
	return &DerivedWriter{store: s, key: key, file: f, hash: sha256.New()}, nil
}

// Write appends to the file.
func (k *DerivedWriter) Write(b []byte) (int, error) {
	n, err := k.file.Write(b)
	k.hash.Write(b[:n])
	k.size += int64(n)
	return n, err
}

// Commit stores the file under its key, with a description about, and removes the
// derived files that were used least recently until MaxDerived is kept. It returns
// the size of all derived files.
func (k *DerivedWriter) Commit(about any) (all int64, err error) {
	note := derivedNote{SHA256: hex.EncodeToString(k.hash.Sum(nil)), Size: k.size}
	if note.About, err = json.Marshal(about); err != nil {
		k.Discard()
		return 0, fmt.Errorf("storing: %w", err)
	}
	note.MAC = k.store.noteMAC(k.key, note)
	data, _ := json.Marshal(note) // strings and a number cannot fail
	path := k.store.derivedPath(k.key)
	os.Remove(path + ".json") // the note of an earlier file under this key
	if err := os.Rename(k.file.Name(), path); err != nil {
		k.Discard()
		return 0, fmt.Errorf("storing: %w", err)
	}
	k.file.Close()
	if err := k.store.writeFile(bytes.NewReader(data), path+".json"); err != nil {
		return 0, err
	}
	return k.store.makeRoom(k.key, MaxDerived)
}

// Discard removes the file.
func (k *DerivedWriter) Discard() {
	os.Remove(k.file.Name())
	k.file.Close()
}

func (s *Store) derivedPath(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(s.dir, "kept", hex.EncodeToString(sum[:]))
}

// derivedFile is a file in the folder of derived files.
type derivedFile struct {
	path string
	size int64
	used time.Time
}

// makeRoom removes the files that were used least recently, except for that of
// key, until at most limit bytes are left. It returns how many bytes are left.
func (s *Store) makeRoom(key string, limit int64) (all int64, err error) {
	files, err := s.derivedFiles()
	if err != nil {
		return 0, fmt.Errorf("making room in the store: %w", err)
	}
	for _, f := range files {
		all += f.size
	}
	slices.SortFunc(files, func(a, b derivedFile) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	for _, f := range files {
		if f.path == s.derivedPath(key) || all <= limit && !f.used.IsZero() {
			continue
		}
		os.Remove(f.path + ".json")
		if os.Remove(f.path) == nil {
			all -= f.size
		}
	}
	return all, nil
}

// derivedFiles lists all derived files. The time of one without a note is zero.
func (s *Store) derivedFiles() ([]derivedFile, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "kept"))
	var files []derivedFile
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		f := derivedFile{path: filepath.Join(s.dir, "kept", e.Name()), size: info.Size()}
		if note, err := os.Lstat(f.path + ".json"); err == nil {
			f.used = note.ModTime()
		}
		files = append(files, f)
	}
	return files, err
}
