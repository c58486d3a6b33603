package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"math/big"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// Signer holds a private RSA key, or reaches whoever holds it. It answers with
// the signature (PKCS #1 v1.5) of what has this SHA-256 digest.
type Signer interface {
	Sign(ctx context.Context, digest [sha256.Size]byte) ([]byte, error)
}

// Key signs.
type Key struct {
	Certificate
	signer Signer
}

// NewKey is the key of a certificate whose private half the signer has. What
// the signer answers is checked against the certificate each time.
func NewKey(c Certificate, s Signer) Key { return Key{c, s} }

// Numbers of OpenPGP (RFC 4880: 5.2.1, 9.1, 9.4, 5.2.3.1, 5.2.3.21).
const (
	typeBinary    = 0x00
	typeCertify   = 0x13
	algoRSA       = 1
	hashSHA256    = 8
	subCreated    = 2
	subKeyExpires = 9
	subIssuer     = 16
	subKeyFlags   = 27
	subIssuerFull = 33
	flagCertify   = 1
	flagSign      = 2
)

// Raw is the key's signature of data without OpenPGP around it: RSA, PKCS #1
// v1.5, of the SHA-256.
func (k Key) Raw(ctx context.Context, data []byte) ([]byte, error) {
	return k.raw(ctx, sha256.Sum256(data))
}

func (k Key) raw(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	s, err := k.signer.Sign(ctx, digest)
	if err != nil {
		return nil, &KeyError{k.Fingerprint, err}
	}
	s = append(make([]byte, max(0, k.public.Size()-len(s))), s...) // some drop leading zeros
	if err := rsa.VerifyPKCS1v15(k.public, crypto.SHA256, digest[:], s); err != nil {
		return nil, &KeyError{k.Fingerprint, fmt.Errorf("what came back is no signature by this key: %w", err)}
	}
	return s, nil
}

// Detached is an armored signature of everything r holds.
func (k Key) Detached(ctx context.Context, r io.Reader, at time.Time) ([]byte, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return nil, err
	}
	s, err := k.sign(ctx, h, at)
	if err != nil {
		return nil, err
	}
	return armored(openpgp.SignatureType, s)
}

func armored(block string, data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := armor.Encode(&out, block, nil)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// sign makes a signature packet of a binary document, which h has seen.
func (k Key) sign(ctx context.Context, h hash.Hash, at time.Time) ([]byte, error) {
	return k.packet(ctx, h, typeBinary, at, nil)
}

// packet makes a signature packet, version 4 (RFC 4880, 5.2.3). No part of it is
// marked critical: rpm up to 4.18 refuses critical parts that it does not know.
func (k Key) packet(ctx context.Context, h hash.Hash, typ byte, at time.Time, also []byte) ([]byte, error) {
	hashed := subpacket(subCreated, binary.BigEndian.AppendUint32(nil, uint32(at.Unix())))
	hashed = append(hashed, subpacket(subIssuerFull, append([]byte{4}, k.fingerprint...))...)
	hashed = append(hashed, also...)
	body := []byte{4, typ, algoRSA, hashSHA256}
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(hashed))), hashed...)
	h.Write(body)
	h.Write(binary.BigEndian.AppendUint32([]byte{4, 0xff}, uint32(len(body))))
	digest := [sha256.Size]byte(h.Sum(nil))
	number, err := k.raw(ctx, digest)
	if err != nil {
		return nil, err
	}
	issuer := subpacket(subIssuer, k.fingerprint[len(k.fingerprint)-8:])
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(issuer))), issuer...)
	body = append(body, digest[:2]...)
	return oldPacket(2, append(body, multiprecision(number)...)), nil
}

func subpacket(typ byte, data []byte) []byte {
	return append([]byte{byte(len(data) + 1), typ}, data...)
}

// multiprecision writes a number as RFC 4880, 3.2 has it.
func multiprecision(b []byte) []byte {
	n := new(big.Int).SetBytes(b)
	return append(binary.BigEndian.AppendUint16(nil, uint16(n.BitLen())), n.Bytes()...)
}

// oldPacket frames a packet in the old format with a length of two bytes, which
// is what gpg writes and every rpm reads.
func oldPacket(tag byte, body []byte) []byte {
	head := binary.BigEndian.AppendUint16([]byte{0x80 | tag<<2 | 1}, uint16(len(body)))
	return append(head, body...)
}
