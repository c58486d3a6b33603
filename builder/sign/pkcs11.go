//go:build cgo

package sign

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"

	"namibuild/builder/pgp"
)

// Token is an RSA key on a PKCS #11 token.
type Token struct {
	// Public is the public half, nil if the token does not have it.
	Public *rsa.PublicKey
	ctx    io.Closer
	signer crypto11.RSAPrivateKey
}

// OpenToken opens the key that a PKCS #11 URI (RFC 7512) names: the token by token,
// serial or slot-id, the key by object or id, the module by module-path. The URI
// must not hold the PIN, which pin returns. The caller closes the Token. An error
// is a *pgp.KeyError.
func OpenToken(uri string, pin Passphrase) (*Token, error) {
	t, err := openToken(uri, pin)
	if err != nil {
		return nil, &pgp.KeyError{Key: uri, Err: err}
	}
	return t, nil
}

func openToken(uri string, pin Passphrase) (*Token, error) {
	at, err := parseURI(uri)
	if err != nil {
		return nil, err
	}
	secret, err := pin()
	if err != nil {
		return nil, err
	}
	c := &crypto11.Config{Path: at.module, TokenSerial: at.serial, TokenLabel: at.token, Pin: string(secret)}
	if at.slot != "" {
		n, err := strconv.Atoi(at.slot)
		if err != nil {
			return nil, fmt.Errorf("slot-id %q is not a number", at.slot)
		}
		c.SlotNumber = &n
	}
	ctx, err := crypto11.Configure(c)
	if err != nil {
		return nil, tokenError(err)
	}
	t := &Token{ctx: ctx}
	if pair, err := ctx.FindRSAKeyPair(at.id, at.object); err == nil && pair != nil {
		t.Public, _ = pair.Public().(*rsa.PublicKey)
	}
	if t.signer, err = ctx.FindRSAPrivateKey(at.id, at.object); err != nil {
		return nil, errors.Join(fmt.Errorf("the token has no such RSA key: %w", err), ctx.Close())
	}
	return t, nil
}

// tokenError returns ErrPassphrase if the PIN is wrong.
func tokenError(err error) error {
	for _, wrong := range []pkcs11.Error{pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE} {
		if errors.Is(err, wrong) {
			return ErrPassphrase
		}
	}
	return fmt.Errorf("opening the token: %w", err)
}

// Sign signs on the token.
func (t *Token) Sign(_ context.Context, digest [sha256.Size]byte) ([]byte, error) {
	s, err := t.signer.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing on the token: %w", err)
	}
	return s, nil
}

// Close ends the session with the token.
func (t *Token) Close() error { return t.ctx.Close() }
