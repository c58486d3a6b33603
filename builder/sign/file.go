package sign

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"os"

	"namibuild/builder/pgp"
)

// memory signs with a private key in this process.
type memory struct{ private *rsa.PrivateKey }

func (m memory) Sign(_ context.Context, digest [sha256.Size]byte) ([]byte, error) {
	return rsa.SignPKCS1v15(nil, m.private, crypto.SHA256, digest[:])
}

// OpenFile opens an OpenPGP secret key file, armored or not, that only its owner
// can read. passphrase is called if the key is locked. An error is a
// *pgp.KeyError.
func OpenFile(path string, passphrase Passphrase) (Key, error) {
	k, err := openFile(path, passphrase)
	if err != nil {
		return Key{}, &pgp.KeyError{Key: path, Err: err}
	}
	return k, nil
}

func openFile(path string, passphrase Passphrase) (Key, error) {
	data, err := readSecret(path)
	if errors.Is(err, ErrReadable) && isPublic(path) {
		return Key{}, pgp.ErrPublicOnly
	}
	if err != nil {
		return Key{}, err
	}
	k, err := pgp.ParseSecretKey(data)
	if err != nil {
		return Key{}, err
	}
	var secret []byte
	if k.Locked() {
		if secret, err = passphrase(); err != nil {
			return Key{}, err
		}
	}
	private, err := k.Unlock(secret)
	if err != nil {
		return Key{}, err
	}
	return NewKey(k.Key, memory{private}), nil
}

// isPublic reports whether a file holds a public key, which everybody may read.
func isPublic(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return false
	}
	_, err = pgp.ParseSecretKey(data)
	return errors.Is(err, pgp.ErrPublicOnly)
}
