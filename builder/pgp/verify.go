package pgp

import (
	"crypto"
	"hash"

	//lint:ignore SA1019 EL5 packages are signed with DSA
	"crypto/dsa"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// ErrBadSignature reports that a signature is not of this data or not by this
// key, or that the key was not valid when it was made.
var ErrBadSignature = errors.New("bad signature")

// Verify checks a signature by this key. h is a hash of the kind s.Hash and has
// seen the signed data. The key must have been valid at s.Created, whatever
// happened to it later. The error says what is wrong; callers wrap
// ErrBadSignature around it.
func (k Key) Verify(s Signature, h hash.Hash) error {
	h.Write(s.suffix)
	if err := k.check(s, h.Sum(nil)); err != nil {
		return err
	}
	return k.goodAt(s.Created)
}

// check checks the numbers of a signature of a digest.
func (k Key) check(s Signature, digest []byte) error {
	if !s.StartsWith(digest) {
		return fmt.Errorf("hash starts with %x, want %x", digest[:2], s.check)
	}
	if s.algorithm != k.algorithm {
		return fmt.Errorf("signature algorithm %d, the key's is %d", s.algorithm, k.algorithm)
	}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		if len(s.numbers) != 1 || s.numbers[0].BitLen() > public.Size()*8 {
			return errors.New("not of this key's size")
		}
		return rsa.VerifyPKCS1v15(public, s.Hash, digest, s.numbers[0].FillBytes(make([]byte, public.Size())))
	case *dsa.PublicKey:
		short := digest[:min(len(digest), (public.Q.BitLen()+7)/8)]
		if len(s.numbers) == 2 && dsa.Verify(public, short, s.numbers[0], s.numbers[1]) {
			return nil
		}
		return errors.New("DSA verification error")
	}
	return fmt.Errorf("key algorithm %d is not supported", k.algorithm)
}

// VerifyDetached checks an armored signature, which must not use SHA-1, of
// everything that r holds. The key must have been valid when the signature was
// made. An error of the signature is an ErrBadSignature.
func (k Key) VerifyDetached(r io.Reader, signature []byte) error {
	s, err := parseDetached(signature)
	if err == nil && s.KeyID != k.ID() {
		err = fmt.Errorf("made by another key, %016X", s.KeyID)
	}
	if err == nil {
		err = k.purpose()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	h := s.Hash.New()
	if _, err := io.Copy(h, r); err != nil {
		return err
	}
	if err := k.Verify(s, h); err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	return nil
}

// parseDetached reads an armored signature.
func parseDetached(text []byte) (Signature, error) {
	kind, packets, err := Dearmor(text)
	if kind != BlockSignature {
		return Signature{}, errors.New("not an armored signature")
	}
	if err != nil {
		return Signature{}, err
	}
	s, err := ParseSignature(packets)
	if err == nil && s.Hash == crypto.SHA1 {
		err = errors.New("made with SHA-1, which anybody can forge")
	}
	return s, err
}

// VerifyRaw checks an RSA signature (PKCS #1 v1.5, SHA-256) of data that has no
// OpenPGP around it. Its error is an ErrBadSignature.
func (k Key) VerifyRaw(data, signature []byte) error {
	sum := sha256.Sum256(data)
	if err := k.VerifyDigest(sum, signature); err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	return nil
}

// VerifyDigest checks what VerifyRaw checks, of data that has this SHA-256.
func (k Key) VerifyDigest(digest [sha256.Size]byte, signature []byte) error {
	public := k.RSA()
	if public == nil {
		return errors.New("it is not an RSA key")
	}
	return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
}
