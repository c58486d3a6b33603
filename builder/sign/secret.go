package sign

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"namibuild/builder/pgp"
)

// maxSecret is the largest file of a passphrase or a key, in bytes.
const maxSecret = 1 << 20

// Errors about secrets.
var (
	ErrReadable   = errors.New("others on this machine can read it")
	ErrLocked     = errors.New("it is locked, and no passphrase was given")
	ErrPassphrase = pgp.ErrUnlock
)

// Passphrase returns a passphrase or PIN when it is needed, or ErrLocked if there
// is none.
type Passphrase func() ([]byte, error)

// ReadPassphrase reads the passphrase in the first line of a file that only its
// owner can read.
func ReadPassphrase(path string) ([]byte, error) {
	data, err := readSecret(path)
	if err != nil {
		return nil, fmt.Errorf("reading the passphrase: %w", err)
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 || !utf8.Valid(line) {
		return nil, fmt.Errorf("reading the passphrase: the first line of %s is not text", path)
	}
	return line, nil
}

// readSecret reads a file that nobody but its owner may read.
func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if m := info.Mode(); m.IsRegular() && m.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: %w (mode %04o)", path, ErrReadable, m.Perm())
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err == nil && len(data) > maxSecret {
		err = fmt.Errorf("%s has more than %d bytes", path, maxSecret)
	}
	return data, err
}
