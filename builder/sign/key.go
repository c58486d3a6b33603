package sign

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math/big"
	"time"

	"namibuild/builder/pgp"
)

// Signer holds a private RSA key, or reaches the place that holds it. Sign returns
// the signature (PKCS #1 v1.5) of the data that has this SHA-256.
type Signer interface {
	Sign(ctx context.Context, digest [sha256.Size]byte) ([]byte, error)
}

// Key is a public key together with the signer of its private half.
type Key struct {
	pgp.Key
	signer Signer
}

// NewKey returns the key of a signer. public comes from pgp.ParseSigningKey. Every
// answer of the signer is verified with it.
func NewKey(public pgp.Key, s Signer) Key { return Key{public, s} }

// Raw returns the key's signature of data without OpenPGP around it: RSA, PKCS #1
// v1.5, of the SHA-256.
func (k Key) Raw(ctx context.Context, data []byte) ([]byte, error) {
	return k.raw(ctx, sha256.Sum256(data))
}

func (k Key) raw(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	s, err := k.signer.Sign(ctx, digest)
	if err != nil {
		return nil, &pgp.KeyError{Key: k.Fingerprint, Err: err}
	}
	s = append(make([]byte, max(0, k.RSA().Size()-len(s))), s...) // some signers drop leading zeros
	if err := k.VerifyDigest(digest, s); err != nil {
		return nil, &pgp.KeyError{Key: k.Fingerprint, Err: fmt.Errorf("the signer's answer is not a signature by this key: %w", err)}
	}
	return s, nil
}

// Detached returns an armored signature of everything that r holds.
func (k Key) Detached(ctx context.Context, r io.Reader, at time.Time) ([]byte, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return nil, err
	}
	s, err := k.sign(ctx, h, at)
	if err != nil {
		return nil, err
	}
	return pgp.Armor(pgp.BlockSignature, s)
}

// sign makes a signature packet of the data that h, a SHA-256, has seen.
func (k Key) sign(ctx context.Context, h hash.Hash, at time.Time) ([]byte, error) {
	return k.Draft(pgp.TypeBinary, at).Sign(h, func(digest []byte) ([]*big.Int, error) {
		s, err := k.raw(ctx, [sha256.Size]byte(digest))
		return []*big.Int{new(big.Int).SetBytes(s)}, err
	})
}

// Time returns the time that a signature bears for a set of the given epoch, in
// seconds. It is the epoch, or the time when the key or its statement about itself
// was made, if that is later: nothing accepts a signature that is older than its
// key.
func (k Key) Time(epoch int64) time.Time {
	at := time.Unix(epoch, 0).UTC()
	for _, t := range []time.Time{k.Created(), k.SelfSigned()} {
		if t.After(at) {
			at = t
		}
	}
	return at
}
