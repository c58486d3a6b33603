//go:build !cgo

package sign

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"errors"

	"namibuild/builder/pgp"
)

// Token is an RSA key on a PKCS #11 token, which this build cannot open.
type Token struct{ Public *rsa.PublicKey }

var errNoCgo = errors.New("this namibuild was built without cgo and cannot load PKCS #11 modules; CGO_ENABLED=1 builds one that can")

// OpenToken returns an error.
func OpenToken(uri string, _ Passphrase) (*Token, error) {
	return nil, &pgp.KeyError{Key: uri, Err: errNoCgo}
}

// Sign returns an error.
func (*Token) Sign(context.Context, [sha256.Size]byte) ([]byte, error) { return nil, errNoCgo }

// Close does nothing.
func (*Token) Close() error { return nil }
