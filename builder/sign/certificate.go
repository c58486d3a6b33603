package sign

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// minBits is the smallest modulus that signs. EL6's own key has 4096 bits.
const minBits = 2048

// Certificate is the public half of a key: primary key, user names and what the
// key says of itself. It does not change.
type Certificate struct {
	// Fingerprint is 40 hexadecimal digits, upper case.
	Fingerprint string
	// Name is the user name that the key itself calls its first.
	Name string

	fingerprint []byte
	public      *rsa.PublicKey
	created     time.Time
	selfSigned  time.Time
	expires     time.Time // zero: never
	fault       error     // why it may not sign at any time
	packets     []byte
}

// ErrExpired, ErrRevoked and ErrPurpose say why a key may not sign.
var (
	ErrExpired = errors.New("it has expired")
	ErrRevoked = errors.New("it is revoked")
	ErrPurpose = errors.New("its primary key is not meant for signing, and rpm of EL6 knows no signing subkeys")
)

// KeyError is something about a signing key.
type KeyError struct {
	// Key is its fingerprint, or where it was to come from.
	Key string
	Err error
}

func (e *KeyError) Error() string { return fmt.Sprintf("signing key %s: %v", e.Key, e.Err) }
func (e *KeyError) Unwrap() error { return e.Err }

// ParseCertificate reads one OpenPGP key, public or secret, armored or not, and
// takes the certificate of it. It has to be an RSA key.
func ParseCertificate(data []byte) (Certificate, error) {
	e, raw, err := readEntity(data)
	if err != nil {
		return Certificate{}, err
	}
	p := e.PrimaryKey
	public, ok := p.PublicKey.(*rsa.PublicKey)
	switch {
	case p.Version != 4:
		return Certificate{}, fmt.Errorf("%X: version %d; rpm of EL6 knows version 4", p.Fingerprint, p.Version)
	case !ok:
		return Certificate{}, fmt.Errorf("%X: it is no RSA key; rpm of EL6 checks no others", p.Fingerprint)
	case public.N.BitLen() < minBits:
		return Certificate{}, fmt.Errorf("%X: RSA of %d bits; at least %d are wanted, 4096 are usual", p.Fingerprint, public.N.BitLen(), minBits)
	}
	c := Certificate{Fingerprint: fmt.Sprintf("%X", p.Fingerprint), fingerprint: p.Fingerprint, public: public, created: p.CreationTime.UTC()}
	c.judge(e)
	c.packets, err = primaryPackets(raw, p)
	return c, err
}

// judge takes over what the key says of itself.
func (c *Certificate) judge(e *openpgp.Entity) {
	self, name := statement(e)
	c.Name = name
	switch {
	case len(e.Revocations) > 0:
		c.fault = ErrRevoked
	case self == nil:
		c.fault = errors.New("it says nothing of itself: no user name that it has signed")
	case self.FlagsValid && !self.FlagSign:
		c.fault = ErrPurpose
	}
	if self == nil {
		return
	}
	c.selfSigned = self.CreationTime.UTC()
	if self.KeyLifetimeSecs != nil && *self.KeyLifetimeSecs != 0 {
		c.expires = c.created.Add(time.Duration(*self.KeyLifetimeSecs) * time.Second)
	}
}

// statement is what the key says of itself with its first user name: the one
// that it calls primary, or the latest. The choice depends on the key alone.
func statement(e *openpgp.Entity) (self *packet.Signature, name string) {
	first := func(s *packet.Signature) bool { return s.IsPrimaryId != nil && *s.IsPrimaryId }
	for _, n := range slices.Sorted(maps.Keys(e.Identities)) {
		id := e.Identities[n]
		s := id.SelfSignature
		switch {
		case s == nil || len(id.Revocations) > 0:
		case self == nil, first(s) && !first(self), first(s) == first(self) && s.CreationTime.After(self.CreationTime):
			self, name = s, n
		}
	}
	return self, name
}

// Check reports whether the key may sign at a moment.
func (c Certificate) Check(now time.Time) error {
	switch {
	case c.fault != nil:
		return &KeyError{c.Fingerprint, c.fault}
	case !c.expires.IsZero() && !now.Before(c.expires):
		return &KeyError{c.Fingerprint, fmt.Errorf("%w on %s", ErrExpired, c.expires.Format(time.DateOnly))}
	case now.Before(c.created):
		return &KeyError{c.Fingerprint, fmt.Errorf("it is of %s, which is still to come", c.created.Format(time.RFC3339))}
	}
	return nil
}

// Public is the certificate as an armored file: the primary key, its user names
// and its own statements, nothing else. "rpm --import" of EL6 reads it.
func (c Certificate) Public() ([]byte, error) { return armored(openpgp.PublicKeyType, c.packets) }

// Created is when the key was made, Expires when it ends; zero is never.
func (c Certificate) Created() time.Time { return c.created }
func (c Certificate) Expires() time.Time { return c.expires }

// Bits is the length of the modulus.
func (c Certificate) Bits() int { return c.public.N.BitLen() }

// readEntity reads the one key that data holds, and gives its packets.
func readEntity(data []byte) (*openpgp.Entity, []byte, error) {
	raw := data
	if block, err := armor.Decode(bytes.NewReader(data)); err == nil {
		if block.Type != openpgp.PublicKeyType && block.Type != openpgp.PrivateKeyType {
			return nil, nil, fmt.Errorf("it holds a %q, want a key", block.Type)
		}
		if raw, err = io.ReadAll(block.Body); err != nil {
			return nil, nil, fmt.Errorf("reading the key: %w", err)
		}
	}
	ring, err := openpgp.ReadKeyRing(bytes.NewReader(raw))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("reading the key: %w", err)
	case len(ring) != 1:
		return nil, nil, fmt.Errorf("it holds %d keys, want one", len(ring))
	}
	return ring[0], raw, nil
}

// Packets by their tags (RFC 4880, 4.3).
const (
	tagSignature  = 2
	tagSecretKey  = 5
	tagPublicKey  = 6
	tagSecretSub  = 7
	tagUserID     = 13
	tagPublicSub  = 14
	tagAttributes = 17
)

// primaryPackets keeps of a key's packets the public primary key, the user names
// and what the primary key itself signed, in their order.
func primaryPackets(raw []byte, primary *packet.PublicKey) ([]byte, error) {
	var out bytes.Buffer
	attribute := false
	for r := packet.NewOpaqueReader(bytes.NewReader(raw)); ; {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out.Bytes(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the key: %w", err)
		}
		switch p.Tag {
		case tagSecretSub, tagPublicSub:
			return out.Bytes(), nil
		case tagPublicKey, tagSecretKey:
			err = primary.Serialize(&out)
		case tagUserID:
			attribute = false
			err = p.Serialize(&out)
		case tagAttributes:
			attribute = true
		case tagSignature:
			if !attribute && issuedBy(p, primary) {
				err = p.Serialize(&out)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("reading the key: %w", err)
		}
	}
}

func issuedBy(p *packet.OpaquePacket, key *packet.PublicKey) bool {
	parsed, err := p.Parse()
	if err != nil {
		return false
	}
	s, ok := parsed.(*packet.Signature)
	return ok && s.CheckKeyIdOrFingerprint(key)
}
