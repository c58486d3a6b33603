package pgp

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"time"

	_ "crypto/sha1" // the hashes of signatures
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// Signature is one signature packet of version 3 or 4 over a file's bytes (RFC
// 4880, 5.2). It is not changed after it was read.
type Signature struct {
	Version int
	// Created is when the signature was made, as it says itself.
	Created time.Time
	// KeyID is the last 8 bytes of the signing key's fingerprint, 0 if the
	// signature does not name the key.
	KeyID uint64
	Hash  crypto.Hash

	algorithm byte // of the key
	suffix    []byte
	numbers   []*big.Int
	// check is the first two bytes of the digest.
	check [2]byte
}

// signatureHashes are the hashes that a signature may use. MD5 is not among them.
var signatureHashes = map[byte]crypto.Hash{
	HashSHA1: crypto.SHA1, hashSHA224: crypto.SHA224, HashSHA256: crypto.SHA256, hashSHA384: crypto.SHA384, hashSHA512: crypto.SHA512,
}

var errShort = errors.New("signature packet is cut off")

// ParseSignature reads exactly one signature packet.
func ParseSignature(b []byte) (Signature, error) {
	body, err := signatureBody(b)
	if err != nil {
		return Signature{}, err
	}
	if len(body) == 0 {
		return Signature{}, errShort
	}
	switch body[0] {
	case 3:
		return parseV3(body)
	case 4:
		return parseV4(body)
	}
	return Signature{}, fmt.Errorf("signature version %d is not supported", body[0])
}

// StartsWith reports whether the digest begins with the two bytes that the
// signature holds of its own digest. It proves nothing, but tells most other
// digests apart.
func (s Signature) StartsWith(digest []byte) bool { return bytes.HasPrefix(digest, s.check[:]) }

// parseV3 reads the version that packages of EL5 to EL7 have.
func parseV3(b []byte) (Signature, error) {
	const fixed = 19
	if len(b) < fixed {
		return Signature{}, errShort
	}
	if b[1] != 5 {
		return Signature{}, fmt.Errorf("version 3 signature hashes %d bytes, want 5", b[1])
	}
	s := Signature{
		Version:   3,
		Created:   time.Unix(int64(binary.BigEndian.Uint32(b[3:])), 0).UTC(),
		KeyID:     binary.BigEndian.Uint64(b[7:]),
		suffix:    b[2:7],
		algorithm: b[15],
		check:     [2]byte(b[17:19]),
	}
	return s.finish(b[2], b[16], b[fixed:])
}

func parseV4(b []byte) (Signature, error) {
	if len(b) < 6 {
		return Signature{}, errShort
	}
	hashedEnd := 6 + int(binary.BigEndian.Uint16(b[4:]))
	if len(b) < hashedEnd+2 {
		return Signature{}, errShort
	}
	end := hashedEnd + 2 + int(binary.BigEndian.Uint16(b[hashedEnd:]))
	if len(b) < end+2 {
		return Signature{}, errShort
	}
	s := Signature{Version: 4, suffix: suffixV4(b[:hashedEnd]), algorithm: b[2], check: [2]byte(b[end : end+2])}
	if err := s.subpackets(b[6:hashedEnd], true); err != nil {
		return Signature{}, err
	}
	if err := s.subpackets(b[hashedEnd+2:end], false); err != nil {
		return Signature{}, err
	}
	if s.Created.IsZero() {
		return Signature{}, errors.New("signature has no creation time")
	}
	return s.finish(b[1], b[3], b[end+2:])
}

// suffixV4 returns what is hashed after the data: the signature's own hashed
// part and a trailer with its length (RFC 4880, 5.2.4).
func suffixV4(hashed []byte) []byte {
	return binary.BigEndian.AppendUint32(append(bytes.Clone(hashed), 4, 0xff), uint32(len(hashed)))
}

// finish adds the parts that both versions share.
func (s Signature) finish(kind, hash byte, numbers []byte) (Signature, error) {
	if kind != TypeBinary {
		return Signature{}, fmt.Errorf("signature type %d, want %d", kind, TypeBinary)
	}
	var ok bool
	if s.Hash, ok = signatureHashes[hash]; !ok {
		return Signature{}, fmt.Errorf("signature hash %d is not supported", hash)
	}
	for len(numbers) > 0 {
		n, rest, err := parseNumber(numbers)
		if err != nil {
			return Signature{}, err
		}
		s.numbers, numbers = append(s.numbers, n), rest
	}
	return s, nil
}

func (s *Signature) subpackets(b []byte, hashed bool) error {
	for len(b) > 0 {
		length, size := uint64(b[0]), newSize(b)
		if size == 0 || len(b) < size {
			return errShort
		}
		switch size {
		case 2:
			length = uint64(b[0]-192)<<8 + uint64(b[1]) + 192
		case 5:
			length = uint64(binary.BigEndian.Uint32(b[1:]))
		}
		b = b[size:]
		if length == 0 || length > uint64(len(b)) {
			return errShort
		}
		if err := s.subpacket(b[0], b[1:length], hashed); err != nil {
			return err
		}
		b = b[length:]
	}
	return nil
}

func (s *Signature) subpacket(kind byte, data []byte, hashed bool) error {
	switch plain := kind &^ subCritical; {
	case plain == subCreated && hashed && len(data) == 4:
		s.Created = time.Unix(int64(binary.BigEndian.Uint32(data)), 0).UTC()
	case plain == subIssuer && len(data) == 8:
		return s.setKeyID(binary.BigEndian.Uint64(data))
	case plain == subFingerprint && len(data) == 21 && data[0] == 4:
		return s.setKeyID(binary.BigEndian.Uint64(data[13:]))
	case plain == subExpires, plain == subNotation, plain == subSigner:
	case kind&subCritical != 0 && hashed:
		return fmt.Errorf("signature has an unknown critical part %d", plain)
	}
	return nil
}

func (s *Signature) setKeyID(id uint64) error {
	if s.KeyID != 0 && s.KeyID != id {
		return fmt.Errorf("signature names two keys, %016X and %016X", s.KeyID, id)
	}
	s.KeyID = id
	return nil
}
