package rpm

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"namibuild/builder/pgp"
)

// Signed says who signed a package.
type Signed struct {
	// Fingerprint is the key's: 40 hexadecimal digits, upper case.
	Fingerprint string
	// Created is when the signature was made, as it says itself.
	Created time.Time
	// Hash is SHA-1, SHA-256, …
	Hash string
	// Covers is "header and payload", or "header" if the payload is covered by its
	// digest in the signed header.
	Covers string
}

// What a signature covers.
const (
	coversHeader = "header"
	coversAll    = "header and payload"
)

// ErrNotSigned reports that the package carries no signature.
var ErrNotSigned = errors.New("package is not signed")

// OtherKeyError reports that the package is signed by a key that was not given.
type OtherKeyError struct {
	// KeyID is the last 16 digits of the key's fingerprint.
	KeyID string
}

func (e *OtherKeyError) Error() string {
	return fmt.Sprintf("package is signed by another key, %s", e.KeyID)
}

// VerifySigned is Verify, and also checks the package's OpenPGP signatures. All of
// them must be good and made by one of keys at a time when that key was valid,
// whatever happened to it later. Header and payload must be covered: by one
// signature, or the payload by a digest in the signed header. The error is
// ErrNotSigned, an *OtherKeyError, pgp.ErrBadSignature, or what Verify found.
//
// Signed describes the signature that covers the most.
func VerifySigned(r io.Reader, keys []pgp.Key) (*Package, Signed, error) {
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

func (p *Package) verifySigned(r io.Reader, keys []pgp.Key) (Signed, error) {
	if err := checkSignatureHeader(p.Signature); err != nil {
		return Signed{}, fmt.Errorf("signature header: %w", err)
	}
	list, err := p.signatures(keys)
	if err != nil {
		return Signed{}, err
	}
	err = p.verify(r, func(*Package) (Taps, error) { return Taps{Payload: payloadHashes(list)}, nil })
	if err != nil {
		return Signed{}, err
	}
	return checkSignatures(list)
}

// signature is a signature of a package with its key and with the hash of what it
// covers.
type signature struct {
	pgp.Signature
	key    pgp.Key
	covers string
	hash   hash.Hash
}

// signatures returns the package's signatures, those over the payload first.
// Their hashes have seen the header.
func (p *Package) signatures(keys []pgp.Key) ([]signature, error) {
	var list []signature
	for _, from := range []struct {
		tag    Tag
		covers string
	}{{SigTagPGP, coversAll}, {SigTagGPG, coversAll}, {SigTagRSA, coversHeader}, {SigTagDSA, coversHeader}} {
		if !p.Signature.Has(from.tag) {
			continue
		}
		s, err := pgp.ParseSignature(p.Signature.Bytes(from.tag))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", pgp.ErrBadSignature, err)
		}
		key, err := findKey(keys, s.KeyID)
		if err != nil {
			return nil, err
		}
		list = append(list, signature{s, key, from.covers, hashed(s.Hash.New(), p.Header)})
	}
	switch {
	case len(list) == 0:
		return nil, ErrNotSigned
	case list[0].covers == coversHeader && !p.Header.Has(TagPayloadDigest):
		return nil, fmt.Errorf("%w: only the header is signed, and it holds no digest of the payload", pgp.ErrBadSignature)
	}
	return list, nil
}

func findKey(keys []pgp.Key, id uint64) (pgp.Key, error) {
	for _, k := range keys {
		if k.ID() == id {
			return k, nil
		}
	}
	return pgp.Key{}, &OtherKeyError{KeyID: fmt.Sprintf("%016X", id)}
}

// payloadHashes writes to the hashes of the signatures that cover the payload.
func payloadHashes(list []signature) io.Writer {
	var hashes []io.Writer
	for _, s := range list {
		if s.covers == coversAll {
			hashes = append(hashes, s.hash)
		}
	}
	return io.MultiWriter(hashes...)
}

// checkSignatures checks signatures whose hashes have seen everything.
func checkSignatures(list []signature) (Signed, error) {
	for _, s := range list {
		if err := s.key.Verify(s.Signature, s.hash); err != nil {
			return Signed{}, fmt.Errorf("%w over %s by key %s: %w", pgp.ErrBadSignature, s.covers, s.key.Fingerprint, err)
		}
	}
	s := list[0]
	return Signed{s.key.Fingerprint, s.Created, s.Hash.String(), s.covers}, nil
}
