//go:build !cgo

package sign

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
)

// Token is an RSA key on a PKCS #11 token; this build reaches none.
type Token struct{ Public *rsa.PublicKey }

var errNoCgo = errors.New("this namibuild was built without cgo and cannot load PKCS #11 modules; build it with CGO_ENABLED=1")

// OpenToken says that it cannot.
func OpenToken(uri string, _ Passphrase) (*Token, error) { return nil, &KeyError{uri, errNoCgo} }

// Sign says that it cannot.
func (*Token) Sign(context.Context, [sha256.Size]byte) ([]byte, error) { return nil, errNoCgo }

// Close does nothing.
func (*Token) Close() error { return nil }
