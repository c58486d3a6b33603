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

// part is a download that is not whole yet: a locked file in the store that
// outlives its process, with a note beside it.
type part struct {
	path  string
	file  *os.File
	size  int64
	note  note
	mixed bool // its bytes are of more than one answer
	place func(note []byte, path string) error
}

// note says what a part is a part of. It is written before the bytes are.
type note struct {
	URL       string `json:"url"`
	Validator string `json:"validator"`
	Total     int64  `json:"total"` // bytes; 0: not known
}

// locked is how often a part is looked at that another process writes.
const locked = 500 * time.Millisecond

// partName is the digest where one is known, so that a mirror can go on where
// another broke off, and otherwise made of the URL.
func partName(digest, url string) string {
	if digest != "" {
		return digest
	}
	sum := sha256.Sum256([]byte(url))
	return "url-" + hex.EncodeToString(sum[:16])
}

func (s *Store) partPath(name string) string { return filepath.Join(s.dir, "part", name) }

// openPart opens a part, alone. While another process has it, waiting is called
// once and the part is awaited.
func (s *Store) openPart(ctx context.Context, name string, waiting func()) (*part, error) {
	path := s.partPath(name)
	for told := false; ; {
		f, err := lockPart(path)
		if err != nil {
			return nil, diskError{err}
		}
		if f != nil {
			return s.newPart(f, path)
		}
		if !told {
			waiting()
			told = true
		}
		if err := s.pause(ctx, locked); err != nil {
			return nil, err
		}
	}
}

// lockPart gives no file when another process has the lock, or has just moved
// the file away.
func lockPart(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
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

func sameFile(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(open, named)
}

func (s *Store) newPart(f *os.File, path string) (*part, error) {
	p := &part{path: path, file: f, place: func(b []byte, path string) error { return s.place(bytes.NewReader(b), path) }}
	info, err := f.Stat()
	if err != nil {
		return nil, diskError{errors.Join(err, f.Close())}
	}
	p.size = info.Size()
	p.mixed = p.size > 0
	data, err := os.ReadFile(p.notePath())
	if err == nil {
		err = json.Unmarshal(data, &p.note)
	}
	if err != nil || p.note.Total < 0 || p.note.Total > 0 && p.size > p.note.Total {
		p.note = note{}
	}
	return p, nil
}

func (p *part) notePath() string { return p.path + ".json" }

// whole: everything is there that was announced.
func (p *part) whole() bool { return p.note.Total > 0 && p.size == p.note.Total }

// Write appends.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.file.WriteAt(b, p.size)
	p.size += int64(n)
	if err != nil {
		return n, diskError{err}
	}
	return n, nil
}

// save puts the note beside the part.
func (p *part) save(n note) error {
	data, err := json.Marshal(n)
	if err == nil {
		err = p.place(data, p.notePath())
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

// close gives the part free; an empty one goes.
func (p *part) close() {
	if p.size == 0 {
		p.remove()
	}
	p.file.Close()
}

func (p *part) remove() {
	os.Remove(p.notePath())
	os.Remove(p.path)
}

// keep moves a part that was checked into the store.
func (s *Store) keep(p *part, f File) (File, error) {
	f.Path = s.path(f.SHA256)
	if err := os.Rename(p.path, f.Path); err != nil {
		return File{}, diskError{err}
	}
	os.Remove(p.notePath())
	return f, nil
}

// dropParts removes what is left of an input that has come another way.
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
