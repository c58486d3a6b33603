package sign

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/go-crypto/openpgp/s2k"
)

// keyBits is the size of keys that are made: that of the distributions' keys.
const keyBits = 4096

// NewKeyOptions say what a key that is made says of itself.
type NewKeyOptions struct {
	// Name is a user name, as "Kernels <kernels@example.org>".
	Name string
	// Created is the key's time of birth.
	Created time.Time
	// Lifetime is how long it is good; 0 is for ever.
	Lifetime time.Duration
}

// Generate makes an RSA key that every rpm knows: a primary key that signs, no
// subkeys. It gives the armored secret key, locked with the passphrase unless
// that is empty.
func Generate(o NewKeyOptions, passphrase []byte) (Key, []byte, error) {
	if err := o.check(); err != nil {
		return Key{}, nil, fmt.Errorf("making a key: %w", err)
	}
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Key{}, nil, fmt.Errorf("making a key: %w", err)
	}
	k, err := Certify(context.Background(), &private.PublicKey, memory{private}, o)
	if err != nil {
		return Key{}, nil, err
	}
	secret := packet.NewRSAPrivateKey(k.created, private)
	if len(passphrase) > 0 {
		// 65 MiB are hashed for each guess, which takes a machine of today about 0.1 s
		c := &packet.Config{DefaultCipher: packet.CipherAES256, S2KConfig: &s2k.Config{S2KCount: 65011712}}
		if err := secret.EncryptWithConfig(passphrase, c); err != nil {
			return Key{}, nil, fmt.Errorf("locking the key: %w", err)
		}
	}
	var out bytes.Buffer
	if err := secret.Serialize(&out); err != nil {
		return Key{}, nil, fmt.Errorf("making a key: %w", err)
	}
	out.Write(k.statements())
	block, err := armored(openpgp.PrivateKeyType, out.Bytes())
	return k, block, err
}

// Certify makes the certificate of an RSA key that a signer holds.
func Certify(ctx context.Context, public *rsa.PublicKey, s Signer, o NewKeyOptions) (Key, error) {
	if err := o.check(); err != nil {
		return Key{}, fmt.Errorf("making a key: %w", err)
	}
	created := o.Created.UTC().Truncate(time.Second)
	p := packet.NewRSAPublicKey(created, public)
	k := NewKey(Certificate{Fingerprint: fmt.Sprintf("%X", p.Fingerprint), fingerprint: p.Fingerprint, public: public, created: created}, s)
	var head bytes.Buffer
	if err := p.Serialize(&head); err != nil {
		return Key{}, fmt.Errorf("making a key: %w", err)
	}
	statement, err := k.certify(ctx, p, o)
	if err != nil {
		return Key{}, fmt.Errorf("making a key: %w", err)
	}
	user := oldPacket(tagUserID, []byte(o.Name))
	c, err := ParseCertificate(bytes.Join([][]byte{head.Bytes(), user, statement}, nil))
	if err != nil {
		return Key{}, fmt.Errorf("making a key: %w", err)
	}
	return NewKey(c, s), nil
}

// certify signs the user name: the key may certify and sign, until its end.
func (k Key) certify(ctx context.Context, p *packet.PublicKey, o NewKeyOptions) ([]byte, error) {
	says := subpacket(subKeyFlags, []byte{flagCertify | flagSign})
	if o.Lifetime > 0 {
		says = append(says, subpacket(subKeyExpires, binary.BigEndian.AppendUint32(nil, uint32(o.Lifetime/time.Second)))...)
	}
	h := sha256.New()
	if err := p.SerializeForHash(h); err != nil {
		return nil, err
	}
	h.Write(binary.BigEndian.AppendUint32([]byte{0xb4}, uint32(len(o.Name)))) // RFC 4880, 5.2.4
	h.Write([]byte(o.Name))
	return k.packet(ctx, h, typeCertify, k.created, says)
}

// statements are the certificate's packets behind the primary key's.
func (c Certificate) statements() []byte {
	r := bytes.NewReader(c.packets)
	if _, err := packet.NewOpaqueReader(r).Next(); err != nil {
		return nil
	}
	return c.packets[len(c.packets)-r.Len():]
}

func (o NewKeyOptions) check() error {
	switch {
	case strings.TrimSpace(o.Name) == "" || len(o.Name) > 200 || !utf8.ValidString(o.Name) || strings.ContainsFunc(o.Name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("%q is no user name; \"Name <mail address>\" is usual", o.Name)
	case o.Created.Unix() <= 0 || o.Created.Unix() > math.MaxUint32:
		return errors.New("the time of birth is outside of what OpenPGP can write")
	case o.Lifetime < 0 || o.Lifetime/time.Second > math.MaxUint32:
		return fmt.Errorf("a lifetime of %s is outside of what OpenPGP can write", o.Lifetime)
	}
	return nil
}

// ParsePublicPEM reads an RSA public key as openssl and key services print it.
func ParsePublicPEM(data []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("reading the public key: no PEM block PUBLIC KEY")
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	public, ok := k.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("reading the public key: it is no RSA key")
	}
	return public, nil
}
