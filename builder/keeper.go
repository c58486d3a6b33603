package builder

import (
	"errors"
	"sync"

	"github.com/klauspost/compress/zstd"

	"namibuild/builder/fetch"
)

// keeper packs a topdir into the store while something else reads it: its
// Write never fails, end tells what went wrong. zstd at its fastest makes a
// sixth of a kernel tree at 300 MB/s a processor, and gives it back at 800.
type keeper struct {
	mu   sync.Mutex // an upload that was interrupted may still read
	file *fetch.DerivedWriter
	pack *zstd.Encoder
	err  error
}

func startKeeping(s *fetch.Store, key string) *keeper {
	file, err := s.CreateDerived(key)
	if err != nil {
		return &keeper{err: err}
	}
	pack, err := zstd.NewWriter(file, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2))
	return &keeper{file: file, pack: pack, err: err}
}

func (k *keeper) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err == nil {
		_, k.err = k.pack.Write(p)
	}
	return len(p), nil
}

// end keeps what was written, if it is the whole, with a note; it gives the
// bytes of all that the store keeps. Nothing that is written later counts.
func (k *keeper) end(whole bool, note keptTopdir) (all int64, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == nil {
		return 0, k.err
	}
	err = k.err
	k.err = errors.New("keeping has ended")
	if err == nil {
		err = k.pack.Close()
	}
	if err != nil || !whole {
		k.file.Discard()
		return 0, err
	}
	return k.file.Commit(note)
}
