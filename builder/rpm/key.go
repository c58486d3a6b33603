package rpm

import (
	"bufio"
	"crypto"
	//lint:ignore SA1019 EL5 packages are signed with DSA
	"crypto/dsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// maxKeys bounds what ParseKeys reads.
const maxKeys = 4 << 20

// Key is the primary key of an OpenPGP public key (RSA or DSA, version 4).
// Subkeys do not sign packages: rpm of EL6 does not know them.
type Key struct {
	fingerprint string
	id          uint64
	algo        byte
	public      crypto.PublicKey
	name        string
	created     time.Time
	expires     time.Time // zero: never
	revoked     time.Time // zero: never
}

// ParseKeys reads armored public keys, one block or several. No key at all is
// an error.
func ParseKeys(r io.Reader) ([]Key, error) {
	// armor reads ahead unless it is given a buffer that is large enough
	in := bufio.NewReader(io.LimitReader(r, maxKeys))
	var keys []Key
	for {
		block, err := armor.Decode(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading keys: %w", err)
		}
		if block.Type != openpgp.PublicKeyType {
			return nil, fmt.Errorf("reading keys: found %q, want %q", block.Type, openpgp.PublicKeyType)
		}
		ring, err := openpgp.ReadKeyRing(block.Body)
		if err != nil {
			return nil, fmt.Errorf("reading keys: %w", err)
		}
		for _, e := range ring {
			k, err := newKey(e)
			if err != nil {
				return nil, fmt.Errorf("reading keys: %X: %w", e.PrimaryKey.Fingerprint, err)
			}
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("reading keys: no armored public key")
	}
	return keys, nil
}

func newKey(e *openpgp.Entity) (Key, error) {
	p := e.PrimaryKey
	if p.Version != 4 {
		return Key{}, fmt.Errorf("key version %d is not supported", p.Version)
	}
	k := Key{fingerprint: fmt.Sprintf("%X", p.Fingerprint), id: p.KeyId, algo: byte(p.PubKeyAlgo), created: p.CreationTime.UTC()}
	switch public := p.PublicKey.(type) {
	case *rsa.PublicKey, *dsa.PublicKey:
		k.public = public
	default:
		return Key{}, fmt.Errorf("key algorithm %d is not supported", p.PubKeyAlgo)
	}
	for name := range e.Identities {
		if k.name == "" || name < k.name {
			k.name = name
		}
	}
	self, _ := e.PrimarySelfSignature()
	if self != nil && self.KeyLifetimeSecs != nil && *self.KeyLifetimeSecs != 0 {
		k.expires = k.created.Add(time.Duration(*self.KeyLifetimeSecs) * time.Second)
	}
	for _, r := range e.Revocations {
		k.revoke(r)
	}
	return k, nil
}

// revoke takes a revocation over. A key that was merely retired or replaced is
// good for what it signed before; any other reason spoils everything.
func (k *Key) revoke(r *packet.Signature) {
	at := k.created
	if r.RevocationReason != nil && (*r.RevocationReason == packet.KeyRetired || *r.RevocationReason == packet.KeySuperseded) {
		at = r.CreationTime.UTC()
	}
	if k.revoked.IsZero() || at.Before(k.revoked) {
		k.revoked = at
	}
}

// Fingerprint is 40 hexadecimal digits, upper case.
func (k Key) Fingerprint() string { return k.fingerprint }

// Name is the key's first user name by alphabet.
func (k Key) Name() string { return k.name }

// checkTime reports whether the key was good at a moment.
func (k Key) checkTime(at time.Time) error {
	switch {
	case at.Before(k.created):
		return fmt.Errorf("made %s, before the key, which is of %s", stamp(at), stamp(k.created))
	case !k.revoked.IsZero() && !at.Before(k.revoked):
		return fmt.Errorf("made %s by a revoked key", stamp(at))
	case !k.expires.IsZero() && !at.Before(k.expires):
		return fmt.Errorf("made %s, after the key expired on %s", stamp(at), stamp(k.expires))
	}
	return nil
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

// verify checks a signature of what digest is the hash of.
func (k Key) verify(s signature, digest []byte) error {
	if [2]byte(digest) != s.check {
		return fmt.Errorf("hash starts with %x, want %x", digest[:2], s.check)
	}
	if s.algo != k.algo {
		return fmt.Errorf("signature algorithm %d, the key's is %d", s.algo, k.algo)
	}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		if len(s.numbers) != 1 || s.numbers[0].BitLen() > public.Size()*8 {
			return errors.New("not of this key's size")
		}
		return rsa.VerifyPKCS1v15(public, s.hash, digest, s.numbers[0].FillBytes(make([]byte, public.Size())))
	case *dsa.PublicKey:
		short := digest[:min(len(digest), (public.Q.BitLen()+7)/8)]
		if len(s.numbers) == 2 && dsa.Verify(public, short, s.numbers[0], s.numbers[1]) {
			return nil
		}
		return errors.New("DSA verification error")
	}
	return fmt.Errorf("key algorithm %d is not supported", k.algo)
}
