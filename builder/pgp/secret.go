package pgp

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/go-crypto/openpgp/s2k"
)

// SecretKey is a signing key together with its private half, which may be locked
// by a passphrase.
type SecretKey struct {
	Key
	private *packet.PrivateKey
}

// ErrPublicOnly reports that a key file holds no private half.
var ErrPublicOnly = errors.New("it holds the public half only")

// ErrUnlock reports that a passphrase does not unlock a key.
var ErrUnlock = errors.New("the passphrase is wrong")

// ParseSecretKey reads a secret key file, armored or not. The key must be one
// that ParseSigningKey accepts.
func ParseSecretKey(data []byte) (SecretKey, error) {
	e, packets, err := readEntity(data)
	if err != nil {
		return SecretKey{}, err
	}
	k, err := signingKey(e, packets)
	switch {
	case err != nil:
		return SecretKey{}, err
	case e.PrivateKey == nil:
		return SecretKey{}, ErrPublicOnly
	case e.PrivateKey.Dummy():
		return SecretKey{}, errors.New("the private half of its primary key is elsewhere: offline, or on a card that gpg-agent reaches")
	}
	return SecretKey{k, e.PrivateKey}, nil
}

// Locked reports whether a passphrase is needed.
func (s SecretKey) Locked() bool { return s.private.Encrypted }

// Unlock returns the private half. A key that is not locked needs no passphrase.
// The error is ErrUnlock if the passphrase is wrong.
func (s SecretKey) Unlock(passphrase []byte) (*rsa.PrivateKey, error) {
	if s.private.Encrypted && s.private.Decrypt(passphrase) != nil {
		return nil, ErrUnlock
	}
	private, ok := s.private.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is not an RSA key")
	}
	return private, nil
}

// Secret returns the key as an armored secret key file, locked with the
// passphrase unless that is empty. private is the key's private half.
func (k Key) Secret(private *rsa.PrivateKey, passphrase []byte) ([]byte, error) {
	secret := packet.NewRSAPrivateKey(k.created, private)
	if len(passphrase) > 0 {
		// 65 MiB are hashed for each guess, which takes a machine of today about 0.1 s
		c := &packet.Config{DefaultCipher: packet.CipherAES256, S2KConfig: &s2k.Config{S2KCount: 65011712}}
		if err := secret.EncryptWithConfig(passphrase, c); err != nil {
			return nil, fmt.Errorf("locking the key: %w", err)
		}
	}
	var out bytes.Buffer
	if err := secret.Serialize(&out); err != nil {
		return nil, err
	}
	out.Write(k.statements())
	return Armor(BlockSecretKey, out.Bytes())
}

// statements returns the key's packets after the first, which is the primary key.
func (k Key) statements() []byte {
	r := bytes.NewReader(k.packets)
	if _, err := packet.NewOpaqueReader(r).Next(); err != nil {
		return nil
	}
	return k.packets[len(k.packets)-r.Len():]
}
