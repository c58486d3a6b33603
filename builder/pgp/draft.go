package pgp

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"hash"
	"io"
	"math/big"
	"time"
)

// Draft is a version 4 signature before somebody signs it (RFC 4880, 5.2.3).
type Draft struct {
	Type      byte // TypeBinary or TypeCertification
	Algorithm byte // of the key
	Hash      byte
	// Created is the time that the signature bears, in whole seconds.
	Created time.Time
	// Hashed are the subpackets after the creation time. None should be critical:
	// rpm up to 4.18 refuses critical parts that it does not know.
	Hashed []byte
	// KeyID is the last 8 bytes of the signing key's fingerprint.
	KeyID uint64
}

// Sign makes the signature packet. h is of the draft's hash and has seen the
// signed data; sign returns the numbers of the signature of a digest.
func (d Draft) Sign(h hash.Hash, sign func(digest []byte) ([]*big.Int, error)) ([]byte, error) {
	hashed := append(Subpacket(subCreated, binary.BigEndian.AppendUint32(nil, uint32(d.Created.Unix()))...), d.Hashed...)
	body := binary.BigEndian.AppendUint16([]byte{4, d.Type, d.Algorithm, d.Hash}, uint16(len(hashed)))
	body = append(body, hashed...)
	h.Write(suffixV4(body))
	digest := h.Sum(nil)
	numbers, err := sign(digest)
	if err != nil {
		return nil, err
	}
	issuer := Subpacket(subIssuer, binary.BigEndian.AppendUint64(nil, d.KeyID)...)
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(issuer))), issuer...)
	return Packet(tagSignature, appendNumbers(append(body, digest[:2]...), numbers)), nil
}

// PacketV3 makes a signature packet of version 3 over a file's bytes (RFC 4880,
// 5.2.2), which is what gpg of EL6 makes. The digest is the hash of the file and
// of SuffixV3.
func PacketV3(algorithm, hash byte, created time.Time, keyID uint64, digest []byte, numbers ...*big.Int) []byte {
	suffix := SuffixV3(created)
	body := append([]byte{3, byte(len(suffix))}, suffix...)
	body = append(binary.BigEndian.AppendUint64(body, keyID), algorithm, hash, digest[0], digest[1])
	return Packet(tagSignature, appendNumbers(body, numbers))
}

// SuffixV3 returns what a version 3 signature hashes after a file's bytes: its
// type and time.
func SuffixV3(created time.Time) []byte {
	return binary.BigEndian.AppendUint32([]byte{TypeBinary}, uint32(created.Unix()))
}

func appendNumbers(body []byte, numbers []*big.Int) []byte {
	for _, n := range numbers {
		body = append(body, Number(n)...)
	}
	return body
}

// Fingerprint returns the fingerprint of a version 4 key from the body of its
// public key packet (RFC 4880, 12.2).
func Fingerprint(keyBody []byte) [sha1.Size]byte {
	var b bytes.Buffer
	writeKey(&b, keyBody)
	return sha1.Sum(b.Bytes())
}

// WriteCertified writes what a certification covers before its own fields: the
// key and a user name (RFC 4880, 5.2.4).
func WriteCertified(w io.Writer, keyBody []byte, name string) error {
	var b bytes.Buffer
	writeKey(&b, keyBody)
	b.Write(binary.BigEndian.AppendUint32([]byte{0xb4}, uint32(len(name))))
	b.WriteString(name)
	_, err := b.WriteTo(w)
	return err
}

// writeKey writes a public key as fingerprints and certifications cover it.
func writeKey(b *bytes.Buffer, body []byte) {
	b.Write(binary.BigEndian.AppendUint16([]byte{0x99}, uint16(len(body))))
	b.Write(body)
}
