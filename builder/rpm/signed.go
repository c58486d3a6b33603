package rpm

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"time"
)

// Signed says who signed a package.
type Signed struct {
	// Fingerprint is the key's, 40 hexadecimal digits, upper case.
	Fingerprint string
	// Created is when the signature was made, by its own word.
	Created time.Time
	// Hash is SHA-1, SHA-256, …
	Hash string
	// Covers is "header and payload", or "header" when the payload is covered
	// by the digest in the signed header.
	Covers string
}

// What a signature covers.
const (
	coversHeader = "header"
	coversAll    = "header and payload"
)

// ErrNotSigned: the package carries no signature.
var ErrNotSigned = errors.New("package is not signed")

// ErrBadSignature: a signature by one of the keys is wrong, or was made when
// the key was not good.
var ErrBadSignature = errors.New("bad signature")

// OtherKeyError: the package is signed by a key that was not given.
type OtherKeyError struct {
	// KeyID is the last 16 digits of the key's fingerprint.
	KeyID string
}

func (e *OtherKeyError) Error() string {
	return fmt.Sprintf("package is signed by another key, %s", e.KeyID)
}

// VerifySigned is Verify, and checks the package's OpenPGP signatures. Every
// signature there is must be good and made by one of keys at a time when that
// key was valid, whatever happened to it later, and header and payload
// must be covered: by one signature, or the payload by a digest in the signed
// header. Errors are ErrNotSigned, an *OtherKeyError, ErrBadSignature, or what
// Verify found.
//
// Signed tells of the signature that covers the most.
func VerifySigned(r io.Reader, keys []Key) (*Package, Signed, error) {
	p, err := ReadPackage(r)
	if err != nil {
		return nil, Signed{}, err
	}
	signed, err := p.verifySigned(r, keys)
	if err != nil {
		return nil, Signed{}, fmt.Errorf("verifying package: %w", err)
	}
	return p, signed, nil
}

func (p *Package) verifySigned(r io.Reader, keys []Key) (Signed, error) {
	if err := checkSignatureHeader(p.Signature); err != nil {
		return Signed{}, fmt.Errorf("signature header: %w", err)
	}
	claims, err := p.claims(keys)
	if err != nil {
		return Signed{}, err
	}
	var hashes []io.Writer
	for _, c := range claims {
		if c.covers == coversAll {
			hashes = append(hashes, c.hash)
		}
	}
	if err := p.verify(r, hashes); err != nil {
		return Signed{}, err
	}
	for _, c := range claims {
		if err := c.judge(); err != nil {
			return Signed{}, err
		}
	}
	c := claims[0]
	return Signed{c.key.fingerprint, c.created, c.signature.hash.String(), c.covers}, nil
}

// claim is a signature together with its key and what it must be a signature of.
type claim struct {
	signature
	key    Key
	covers string
	hash   hash.Hash
}

// claims are the package's signatures, those over the payload first. Their
// hashes have seen the header.
func (p *Package) claims(keys []Key) ([]claim, error) {
	var claims []claim
	for _, from := range []struct {
		tag    Tag
		covers string
	}{{SigTagPGP, coversAll}, {SigTagGPG, coversAll}, {SigTagRSA, coversHeader}, {SigTagDSA, coversHeader}} {
		if !p.Signature.Has(from.tag) {
			continue
		}
		s, err := parseSignature(p.Signature.Bytes(from.tag))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadSignature, err)
		}
		key, err := findKey(keys, s.issuer)
		if err != nil {
			return nil, err
		}
		claims = append(claims, claim{s, key, from.covers, hashed(s.hash.New(), p.Header)})
	}
	switch {
	case len(claims) == 0:
		return nil, ErrNotSigned
	case claims[0].covers == coversHeader && !p.Header.Has(TagPayloadDigest):
		return nil, fmt.Errorf("%w: only the header is signed, and it holds no digest of the payload", ErrBadSignature)
	}
	return claims, nil
}

func findKey(keys []Key, id uint64) (Key, error) {
	for _, k := range keys {
		if k.id == id {
			return k, nil
		}
	}
	return Key{}, &OtherKeyError{KeyID: fmt.Sprintf("%016X", id)}
}

// judge checks the signature when its hash has seen everything.
func (c claim) judge() error {
	c.hash.Write(c.suffix)
	err := c.key.verify(c.signature, c.hash.Sum(nil))
	if err == nil {
		err = c.key.checkTime(c.created)
	}
	if err != nil {
		return fmt.Errorf("%w over %s by key %s: %w", ErrBadSignature, c.covers, c.key.fingerprint, err)
	}
	return nil
}
