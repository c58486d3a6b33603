package pgp

import (
	"bytes"
	"crypto"
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// BareKey is the first packet of a key, public or secret, and its first user name.
// What the key says of itself is not read, so it may be a key that signs nothing
// but kernel modules.
type BareKey struct {
	// Fingerprint is that of Key.
	Fingerprint string
	Created     time.Time
	// Public is a pointer to a public key, such as *dsa.PublicKey.
	Public crypto.PublicKey
	// Secret reports whether the packet has the private half, Locked whether that is
	// locked by a passphrase. Private is a pointer to the private key if it is not.
	Secret, Locked bool
	Private        crypto.PrivateKey
	// Name is empty if there is none.
	Name string
}

// ParseBareKey reads packets that begin with a key.
func ParseBareKey(packets []byte) (BareKey, error) {
	r := packet.NewReader(bytes.NewReader(packets))
	first, err := r.Next()
	if err != nil {
		return BareKey{}, err
	}
	var k BareKey
	var public *packet.PublicKey
	switch p := first.(type) {
	case *packet.PublicKey:
		public = p
	case *packet.PrivateKey:
		public, k.Secret, k.Locked, k.Private = &p.PublicKey, true, p.Encrypted, p.PrivateKey
	default:
		return BareKey{}, fmt.Errorf("first packet is a %T, want a key", first)
	}
	k.Fingerprint, k.Created, k.Public = fmt.Sprintf("%X", public.Fingerprint), public.CreationTime.UTC(), public.PublicKey
	for {
		p, err := r.Next()
		if err != nil {
			return k, nil
		}
		if name, ok := p.(*packet.UserId); ok {
			k.Name = name.Id
			return k, nil
		}
	}
}
