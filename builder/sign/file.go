package sign

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"os"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// memory signs with a key that is in this process.
type memory struct{ private *rsa.PrivateKey }

func (m memory) Sign(_ context.Context, digest [sha256.Size]byte) ([]byte, error) {
	return rsa.SignPKCS1v15(nil, m.private, crypto.SHA256, digest[:])
}

// OpenFile opens an OpenPGP secret key file, armored or not, that is its
// owner's alone. passphrase is asked when the key is locked.
func OpenFile(path string, passphrase Passphrase) (Key, error) {
	k, err := openFile(path, passphrase)
	if err != nil {
		return Key{}, &KeyError{path, err}
	}
	return k, nil
}

func openFile(path string, passphrase Passphrase) (Key, error) {
	data, err := readSecret(path)
	if errors.Is(err, ErrReadable) && holdsPublic(path) {
		return Key{}, errPublic
	}
	if err != nil {
		return Key{}, err
	}
	c, err := ParseCertificate(data)
	if err != nil {
		return Key{}, err
	}
	e, _, err := readEntity(data)
	if err != nil {
		return Key{}, err
	}
	switch {
	case e.PrivateKey == nil:
		return Key{}, errPublic
	case e.PrivateKey.Dummy():
		return Key{}, errors.New("the secret half of its primary key is elsewhere: offline, or on a card that gpg-agent reaches")
	}
	if err := unlock(e.PrivateKey, passphrase); err != nil {
		return Key{}, err
	}
	private, ok := e.PrivateKey.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return Key{}, errors.New("it holds no RSA key")
	}
	return NewKey(c, memory{private}), nil
}

var errPublic = errors.New("it holds the public half only")

// holdsPublic tells a public key's file, which everybody may read.
func holdsPublic(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return false
	}
	e, _, err := readEntity(data)
	return err == nil && e.PrivateKey == nil
}

func unlock(k *packet.PrivateKey, passphrase Passphrase) error {
	if !k.Encrypted {
		return nil
	}
	secret, err := passphrase()
	if err != nil {
		return err
	}
	if err := k.Decrypt(secret); err != nil {
		return ErrPassphrase
	}
	return nil
}
