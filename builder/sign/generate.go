package sign

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"namibuild/builder/pgp"
)

// keyBits is the size of a new key, which is that of the distributions' keys.
const keyBits = 4096

// Generate makes an RSA key that every rpm knows: a primary key that signs, without
// subkeys. It also returns the armored secret key file, which is locked with the
// passphrase unless that is empty.
func Generate(o pgp.NewKeyOptions, passphrase []byte) (Key, []byte, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Key{}, nil, fmt.Errorf("making a key: %w", err)
	}
	k, err := Certify(context.Background(), &private.PublicKey, memory{private}, o)
	if err != nil {
		return Key{}, nil, err
	}
	file, err := k.Secret(private, passphrase)
	if err != nil {
		return Key{}, nil, fmt.Errorf("making a key: %w", err)
	}
	return k, file, nil
}

// Certify makes an OpenPGP key of the RSA key of a signer.
func Certify(ctx context.Context, public *rsa.PublicKey, s Signer, o pgp.NewKeyOptions) (Key, error) {
	k, err := pgp.Certify(public, o, func(k pgp.Key, digest [sha256.Size]byte) ([]byte, error) {
		return NewKey(k, s).raw(ctx, digest)
	})
	if err != nil {
		return Key{}, fmt.Errorf("making a key: %w", err)
	}
	return NewKey(k, s), nil
}

// ParsePublicPEM reads an RSA public key in the form that openssl and key services
// print.
func ParsePublicPEM(data []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("reading the public key: no PEM block PUBLIC KEY")
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	public, ok := k.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("reading the public key: it is not an RSA key")
	}
	return public, nil
}
