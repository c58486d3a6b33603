package pgp

import (
	"bufio"
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

const (
	// maxKeys is the largest input of ParseKeys, in bytes.
	maxKeys = 4 << 20
	// minBits is the smallest modulus of a key that signs. EL6's own key has 4096
	// bits.
	minBits = 2048
)

// ParseKeys reads armored public keys, in one block or several. Input without a
// key is an error, and so is a key that is neither RSA nor DSA.
func ParseKeys(r io.Reader) ([]Key, error) {
	// armor reads ahead unless it is given a buffer that is large enough
	in := bufio.NewReader(io.LimitReader(r, maxKeys))
	var keys []Key
	for {
		block, err := armor.Decode(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && block.Type != BlockPublicKey {
			err = fmt.Errorf("found %q, want %q", block.Type, BlockPublicKey)
		}
		if err != nil {
			return nil, fmt.Errorf("reading keys: %w", err)
		}
		more, err := readBlock(block.Body)
		if err != nil {
			return nil, fmt.Errorf("reading keys: %w", err)
		}
		keys = append(keys, more...)
	}
	if len(keys) == 0 {
		return nil, errors.New("reading keys: no armored public key")
	}
	return keys, nil
}

func readBlock(r io.Reader) ([]Key, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	ring, err := openpgp.ReadKeyRing(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	packets, err := primaryPackets(data)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, 0, len(ring))
	for _, e := range ring {
		k, err := newKey(e, packets[string(e.PrimaryKey.Fingerprint)])
		if err != nil {
			return nil, fmt.Errorf("%X: %w", e.PrimaryKey.Fingerprint, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// ParseSigningKey reads one key, public or secret, armored or not, and returns
// its public half. It must be an RSA key of version 4 with at least 2048 bits,
// which is what every rpm verifies. The error is ErrNotKey if data is no key file.
func ParseSigningKey(data []byte) (Key, error) {
	e, packets, err := readEntity(data)
	if err != nil {
		return Key{}, err
	}
	return signingKey(e, packets)
}

func signingKey(e *openpgp.Entity, data []byte) (Key, error) {
	p := e.PrimaryKey
	public, ok := p.PublicKey.(*rsa.PublicKey)
	switch {
	case p.Version != 4:
		return Key{}, fmt.Errorf("%X: it is a key of version %d, and rpm of EL6 knows version 4 alone", p.Fingerprint, p.Version)
	case !ok:
		return Key{}, fmt.Errorf("%X: it is not an RSA key, and rpm of EL6 checks no others", p.Fingerprint)
	case public.N.BitLen() < minBits:
		return Key{}, fmt.Errorf("%X: it is an RSA key of %d bits, want at least %d; 4096 are usual", p.Fingerprint, public.N.BitLen(), minBits)
	}
	packets, err := primaryPackets(data)
	if err != nil {
		return Key{}, fmt.Errorf("reading key: %w", err)
	}
	return newKey(e, packets[string(p.Fingerprint)])
}

// primaryPackets returns for each primary key in data, by its fingerprint, the
// public packets that say what it is: the key itself, its user names and the
// signatures that it made, in their order.
func primaryPackets(data []byte) (map[string][]byte, error) {
	all := map[string][]byte{}
	var f filter
	for r := packet.NewOpaqueReader(bytes.NewReader(data)); ; {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		if err := f.copy(&out, p); err != nil {
			return nil, err
		}
		if f.primary != nil {
			name := string(f.primary.Fingerprint)
			all[name] = append(all[name], out.Bytes()...)
		}
	}
}

// filter selects the packets of primaryPackets.
type filter struct {
	primary *packet.PublicKey
	// skip is set after a user attribute, such as a photograph. The signatures that
	// follow are about it.
	skip bool
}

func (f *filter) copy(out io.Writer, p *packet.OpaquePacket) error {
	switch p.Tag {
	case TagPublicKey, TagSecretKey:
		f.primary, f.skip = publicKey(p), false
		if f.primary != nil {
			return f.primary.Serialize(out)
		}
	case tagSecretSubkey, tagPublicSubkey:
		f.primary = nil
	case tagUserAttribute:
		f.skip = true
	case TagUserID:
		f.skip = false
		return p.Serialize(out)
	case tagSignature:
		if f.primary != nil && !f.skip && issuedBy(p, f.primary) {
			return p.Serialize(out)
		}
	}
	return nil
}

// publicKey returns the public half of a key packet, nil if it cannot be read.
func publicKey(p *packet.OpaquePacket) *packet.PublicKey {
	parsed, err := p.Parse()
	if err != nil {
		return nil
	}
	switch k := parsed.(type) {
	case *packet.PublicKey:
		return k
	case *packet.PrivateKey:
		return &k.PublicKey
	}
	return nil
}

func issuedBy(p *packet.OpaquePacket, key *packet.PublicKey) bool {
	parsed, err := p.Parse()
	if err != nil {
		return false
	}
	s, ok := parsed.(*packet.Signature)
	return ok && s.CheckKeyIdOrFingerprint(key)
}
