package pgp

import (
	"crypto"
	"encoding/binary"

	//lint:ignore SA1019 EL5 packages are signed with DSA
	"crypto/dsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Key is the public half of an OpenPGP key of version 4, RSA or DSA: its primary
// key, its user names and what it says of itself. It does not change.
type Key struct {
	// Fingerprint is 40 hexadecimal digits, upper case.
	Fingerprint string
	// Name is the user name that the key calls its primary one, or the one that it
	// signed last.
	Name string

	fingerprint []byte
	algorithm   byte
	public      crypto.PublicKey
	created     time.Time
	selfSigned  time.Time
	expires     time.Time // zero: never
	revocations []*packet.Signature
	self        *packet.Signature // nil: it signed no user name
	packets     []byte            // see primaryPackets
}

// newKey reads what a key says of itself; packets are those of its file.
func newKey(e *openpgp.Entity, packets []byte) (Key, error) {
	p := e.PrimaryKey
	if p.Version != 4 {
		return Key{}, fmt.Errorf("key version %d is not supported", p.Version)
	}
	switch p.PublicKey.(type) {
	case *rsa.PublicKey, *dsa.PublicKey:
	default:
		return Key{}, fmt.Errorf("key algorithm %d is not supported", p.PubKeyAlgo)
	}
	k := Key{Fingerprint: fmt.Sprintf("%X", p.Fingerprint), fingerprint: p.Fingerprint, algorithm: byte(p.PubKeyAlgo), public: p.PublicKey,
		created: p.CreationTime.UTC(), revocations: e.Revocations, packets: packets}
	k.self, k.Name = selfSignature(e)
	if k.self == nil {
		return k, nil
	}
	k.selfSigned = k.self.CreationTime.UTC()
	if s := k.self.KeyLifetimeSecs; s != nil && *s != 0 {
		k.expires = k.created.Add(time.Duration(*s) * time.Second)
	}
	return k, nil
}

// selfSignature returns what the key says of itself with its primary user name,
// or else with the one that it signed last, and that name. The choice depends on
// the key alone. Without such a signature the name is the first by alphabet.
func selfSignature(e *openpgp.Entity) (self *packet.Signature, name string) {
	primary := func(s *packet.Signature) bool { return s.IsPrimaryId != nil && *s.IsPrimaryId }
	names := slices.Sorted(maps.Keys(e.Identities))
	for _, n := range names {
		id := e.Identities[n]
		s := id.SelfSignature
		switch {
		case s == nil || len(id.Revocations) > 0:
		case self == nil, primary(s) && !primary(self), primary(s) == primary(self) && s.CreationTime.After(self.CreationTime):
			self, name = s, n
		}
	}
	if self == nil && len(names) > 0 {
		name = names[0]
	}
	return self, name
}

// ID returns the last 8 bytes of the fingerprint, by which signatures name keys.
func (k Key) ID() uint64 { return binary.BigEndian.Uint64(k.fingerprint[len(k.fingerprint)-8:]) }

// Created returns when the key was made.
func (k Key) Created() time.Time { return k.created }

// Expires returns when the key ends, or the zero time if it never does.
func (k Key) Expires() time.Time { return k.expires }

// SelfSigned returns when the key made the statement about itself, or the zero
// time if there is none.
func (k Key) SelfSigned() time.Time { return k.selfSigned }

// RSA returns the RSA key, nil for a DSA key.
func (k Key) RSA() *rsa.PublicKey {
	public, _ := k.public.(*rsa.PublicKey)
	return public
}

// Bits returns the length of the key's modulus.
func (k Key) Bits() int {
	if public, ok := k.public.(*dsa.PublicKey); ok {
		return public.P.BitLen()
	}
	return k.RSA().N.BitLen()
}

// Public returns the key as an armored file: the primary key, its user names and
// its own signatures, and nothing else. "rpm --import" of EL6 reads it.
func (k Key) Public() ([]byte, error) { return Armor(BlockPublicKey, k.packets) }

// Draft returns a signature of the given type by this key, which must be RSA,
// with a SHA-256. more are further hashed subpackets.
func (k Key) Draft(kind byte, at time.Time, more ...byte) Draft {
	hashed := Subpacket(subFingerprint, append([]byte{4}, k.fingerprint...)...)
	return Draft{Type: kind, Algorithm: AlgorithmRSA, Hash: HashSHA256, Created: at, Hashed: append(hashed, more...), KeyID: k.ID()}
}

// Errors of Check.
var (
	ErrExpired = errors.New("it has expired")
	ErrRevoked = errors.New("it is revoked")
	ErrNotKey  = errors.New("it is not an OpenPGP key file")
	ErrPurpose = errors.New("its primary key is not meant for signing, and rpm of EL6 does not know signing subkeys")
)

// KeyError reports that a key cannot be used.
type KeyError struct {
	// Key is the key's fingerprint, or the place where it should have come from.
	Key string
	Err error
}

func (e *KeyError) Error() string { return fmt.Sprintf("key %s: %v", e.Key, e.Err) }
func (e *KeyError) Unwrap() error { return e.Err }

// Check reports whether the key may sign at a moment. Its error is a *KeyError.
func (k Key) Check(now time.Time) error {
	err := k.purpose()
	switch {
	case len(k.revocations) > 0:
		err = ErrRevoked
	case err != nil:
	case !k.expires.IsZero() && !now.Before(k.expires):
		err = fmt.Errorf("%w on %s", ErrExpired, k.expires.Format(time.DateOnly))
	case now.Before(k.created):
		err = fmt.Errorf("it was made on %s, which is in the future", k.created.Format(time.RFC3339))
	}
	if err != nil {
		return &KeyError{k.Fingerprint, err}
	}
	return nil
}

// purpose returns an error if the key does not say that it signs data.
func (k Key) purpose() error {
	switch {
	case k.self == nil:
		return errors.New("it has no user name that it signed itself")
	case k.self.FlagsValid && !k.self.FlagSign:
		return ErrPurpose
	}
	return nil
}

// goodAt returns an error if the key was not valid at the time of a signature.
func (k Key) goodAt(at time.Time) error {
	revoked, is := k.revoked()
	switch {
	case at.Before(k.created):
		return fmt.Errorf("made %s, before the key, which is of %s", stamp(at), stamp(k.created))
	case is && !at.Before(revoked):
		return fmt.Errorf("made %s by a revoked key", stamp(at))
	case !k.expires.IsZero() && !at.Before(k.expires):
		return fmt.Errorf("made %s, after the key expired on %s", stamp(at), stamp(k.expires))
	}
	return nil
}

// revoked returns the time from which on the key's signatures are void. A key
// that was merely retired or replaced keeps its earlier signatures; any other
// reason voids all of them.
func (k Key) revoked() (from time.Time, is bool) {
	for _, r := range k.revocations {
		at := k.created
		if r.RevocationReason != nil && (*r.RevocationReason == packet.KeyRetired || *r.RevocationReason == packet.KeySuperseded) {
			at = r.CreationTime.UTC()
		}
		if !is || at.Before(from) {
			from, is = at, true
		}
	}
	return from, is
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }
