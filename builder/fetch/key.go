package fetch

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// keySize is the size of a store's key in bytes, that of the sha256 in its HMAC.
const keySize = 32

// loadKey returns the key of this store, and makes one if there is none. Whoever can
// write into the store but cannot read the key cannot plant what the store is asked
// for. If the file of the key can be read or written by others, it is replaced. Where
// no key can be kept, on a disk that cannot be written or in the store of another
// user, the key is one for this process: what others have kept is then ignored.
func (s *Store) loadKey() []byte {
	path := filepath.Join(s.dir, "key")
	if key, err := readKey(path); err == nil {
		return key
	}
	key := make([]byte, keySize)
	rand.Read(key) // does not fail
	if s.storeKey(path, key) != nil {
		return key
	}
	if stored, err := readKey(path); err == nil { // it may be that of another process
		return stored
	}
	return key
}

// storeKey writes a key. It replaces only a file of this user, so that two users of
// one store do not replace each other's.
func (s *Store) storeKey(path string, key []byte) error {
	f, err := s.newFile() // mode 0600
	if err != nil {
		return err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	if _, err := f.Write(key); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); !errors.Is(err, os.ErrExist) {
		return err
	}
	if old, err := openOwn(path, os.O_RDONLY, 0); err == nil {
		defer old.Close()
		if !isOwn(old) {
			return os.ErrPermission
		}
	}
	if _, err := readKey(path); err == nil { // another process was faster
		return nil
	}
	return os.Rename(f.Name(), path)
}

// readKey reads a key that only this user can read and write.
func readKey(path string) ([]byte, error) {
	f, err := openOwn(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !isOwn(f) || info.Mode().Perm()&0o077 != 0 || info.Size() != keySize {
		return nil, fmt.Errorf("%s is not the key of this user alone", path)
	}
	var key bytes.Buffer
	_, err = key.ReadFrom(f)
	if err == nil && key.Len() != keySize {
		err = fmt.Errorf("%s has %d bytes, want %d", path, key.Len(), keySize)
	}
	return key.Bytes(), err
}

// mac returns the code that authenticates fields: their HMAC-SHA256 with the store's
// key, in hexadecimal.
func (s *Store) mac(fields ...string) string {
	h := hmac.New(sha256.New, s.key)
	for _, field := range fields {
		fmt.Fprintf(h, "%d:%s,", len(field), field)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// isMAC reports whether a code is that of the fields.
func (s *Store) isMAC(code string, fields ...string) bool {
	return hmac.Equal([]byte(code), []byte(s.mac(fields...)))
}
