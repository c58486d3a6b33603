package pgp

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// NewKeyOptions are what a new key says of itself.
type NewKeyOptions struct {
	// Name is a user name such as "Kernels <kernels@example.org>".
	Name string
	// Created is when the key was made. Its signatures cannot be older.
	Created time.Time
	// Lifetime is how long the key is valid; 0 means for ever.
	Lifetime time.Duration
}

// Certify makes an OpenPGP key of an RSA key: a primary key that may certify and
// sign, one user name, no subkeys. sign returns the key's signature (PKCS #1
// v1.5) of a SHA-256 digest; k is the new key without its statements.
func Certify(public *rsa.PublicKey, o NewKeyOptions, sign func(k Key, digest [sha256.Size]byte) ([]byte, error)) (Key, error) {
	if err := o.check(); err != nil {
		return Key{}, err
	}
	p := packet.NewRSAPublicKey(o.Created.UTC().Truncate(time.Second), public)
	k := Key{Fingerprint: fmt.Sprintf("%X", p.Fingerprint), fingerprint: p.Fingerprint, algorithm: AlgorithmRSA, public: public, created: p.CreationTime}
	var packets bytes.Buffer
	if err := p.Serialize(&packets); err != nil {
		return Key{}, err
	}
	h := sha256.New()
	if err := WriteCertified(h, rsaBody(public, k.created), o.Name); err != nil {
		return Key{}, err
	}
	statement, err := k.Draft(TypeCertification, k.created, o.subpackets()...).Sign(h, func(digest []byte) ([]*big.Int, error) {
		s, err := sign(k, [sha256.Size]byte(digest))
		return []*big.Int{new(big.Int).SetBytes(s)}, err
	})
	if err != nil {
		return Key{}, err
	}
	packets.Write(Packet(TagUserID, []byte(o.Name)))
	packets.Write(statement)
	return ParseSigningKey(packets.Bytes())
}

// rsaBody returns the body of an RSA key's public key packet (RFC 4880, 5.5.2).
func rsaBody(public *rsa.PublicKey, created time.Time) []byte {
	body := append(binary.BigEndian.AppendUint32([]byte{4}, uint32(created.Unix())), AlgorithmRSA)
	return appendNumbers(body, []*big.Int{public.N, big.NewInt(int64(public.E))})
}

// subpackets returns what the key says of itself.
func (o NewKeyOptions) subpackets() []byte {
	list := Subpacket(SubKeyFlags, flagCertify|FlagSign)
	if o.Lifetime > 0 {
		list = append(list, Subpacket(subKeyExpires, binary.BigEndian.AppendUint32(nil, uint32(o.Lifetime/time.Second))...)...)
	}
	return list
}

func (o NewKeyOptions) check() error {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	switch {
	case strings.TrimSpace(o.Name) == "" || len(o.Name) > 200 || !utf8.ValidString(o.Name) || strings.ContainsFunc(o.Name, control):
		return fmt.Errorf("%q is not a user name, want one such as \"Name <mail address>\"", o.Name)
	case o.Created.Unix() <= 0 || o.Created.Unix() > math.MaxUint32:
		return errors.New("the creation time is outside of the range of OpenPGP")
	case o.Lifetime < 0 || o.Lifetime/time.Second > math.MaxUint32:
		return fmt.Errorf("a lifetime of %s is outside of the range of OpenPGP", o.Lifetime)
	}
	return nil
}
