package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// part is an incomplete download: a locked file in the store, which stays there
// when the process ends, with a note in a file beside it.
type part struct {
	path      string
	file      *os.File
	added     bool // the file is in the store, and belongs to a File
	size, max int64
	note      note
	mixed     bool // its bytes are from more than one response
	writeNote func(note []byte, path string) error
}

// note says what file a part belongs to. It is written before the bytes.
type note struct {
	URL       string `json:"url"`
	Validator string `json:"validator"`
	Total     int64  `json:"total"` // bytes, or 0 if it is not known
}

// lockPause is the pause between two tries to lock a part that another process
// writes.
const lockPause = 500 * time.Millisecond

// partName returns the digest if it is known, so that a mirror can continue the
// download of another, and otherwise a name made from the URL.
func partName(digest, url string) string {
	if digest != "" {
		return digest
	}
	sum := sha256.Sum256([]byte(url))
	return "url-" + hex.EncodeToString(sum[:16])
}

func (s *Store) partPath(name string) string { return filepath.Join(s.dir, "part", name) }

// openPart opens and locks a part. If another process has locked it, openPart
// calls waiting once and waits for the lock.
func (s *Store) openPart(ctx context.Context, name string, waiting func()) (*part, error) {
	path := s.partPath(name)
	for warned := false; ; {
		f, err := s.lock(path)
		if err != nil {
			return nil, diskError{err}
		}
		if f != nil {
			return s.newPart(f, path)
		}
		if !warned {
			waiting()
			warned = true
		}
		if err := s.pause(ctx, lockPause); err != nil {
			return nil, err
		}
	}
}

// lockPart returns nil if another process has the lock, or has just moved the file
// away.
//
// What others can write to, or what is no regular file, is removed and not continued:
// its bytes could change after they were checked.
func lockPart(path string) (*os.File, error) {
	f, err := openOwn(path, os.O_RDWR|os.O_CREATE, 0o644)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, errNotRegular) || errors.Is(err, syscall.ENXIO) || err == nil && !isPrivate(f) {
		if f != nil {
			f.Close()
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
		f, err = openOwn(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	}
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil && sameFile(f, path) {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = nil
	}
	return nil, err
}

// sameFile reports whether path still names the open file.
func sameFile(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(path)
	return err == nil && os.SameFile(open, named)
}

func (s *Store) newPart(f *os.File, path string) (*part, error) {
	p := &part{path: path, file: f, writeNote: func(b []byte, path string) error { return s.writeFile(bytes.NewReader(b), path) }}
	info, err := f.Stat()
	if err != nil {
		return nil, diskError{errors.Join(err, f.Close())}
	}
	p.size = info.Size()
	p.mixed = p.size > 0
	data, err := readOwn(p.notePath())
	if err == nil {
		err = json.Unmarshal(data, &p.note)
	}
	if err != nil || p.note.Total < 0 || p.note.Total > 0 && p.size > p.note.Total {
		p.note = note{}
	}
	return p, nil
}

func (p *part) notePath() string { return p.path + ".json" }

// complete reports whether everything announced is in the part.
func (p *part) complete() bool { return p.note.Total > 0 && p.size == p.note.Total }

// Write appends to the part.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.file.WriteAt(b, p.size)
	p.size += int64(n)
	if err != nil {
		return n, diskError{err}
	}
	return n, nil
}

// save writes the note beside the part.
func (p *part) save(n note) error {
	data, err := json.Marshal(n)
	if err == nil {
		err = p.writeNote(data, p.notePath())
	}
	if err != nil {
		return diskError{err}
	}
	p.note = n
	return nil
}

// reset empties the part.
func (p *part) reset() error {
	if p.size > 0 {
		if err := p.file.Truncate(0); err != nil {
			return diskError{err}
		}
	}
	p.size, p.mixed, p.note = 0, false, note{}
	return nil
}

// close unlocks the part, and removes it if it is empty. It does nothing after
// addPart.
func (p *part) close() {
	if p.added {
		return
	}
	if p.size == 0 {
		p.remove()
	}
	p.file.Close()
}

func (p *part) remove() {
	os.Remove(p.notePath())
	os.Remove(p.path)
}

// addPart moves a checked part into the store.
func (s *Store) addPart(p *part, f File) (File, error) {
	f.Path = s.path(f.SHA256)
	if err := os.Rename(p.path, f.Path); err != nil {
		return File{}, diskError{err}
	}
	os.Remove(p.notePath())
	p.added = true
	return f, nil
}

// dropParts removes the remaining parts of an input that has been fetched from
// another URL.
func (s *Store) dropParts(digest string, urls []string) {
	for _, url := range urls {
		path := s.partPath(partName(digest, url))
		if _, err := os.Lstat(path); err != nil {
			continue
		}
		if f, err := lockPart(path); err == nil && f != nil {
			(&part{path: path}).remove()
			f.Close()
		}
	}
}
