package rpm

import (
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"time"

	_ "crypto/sha1" // the hashes of signatures
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// signature is one OpenPGP signature packet, version 3 or 4 (RFC 4880, 5.2).
type signature struct {
	version int
	created time.Time
	issuer  uint64
	algo    byte // of the key (RFC 4880, 9.1)
	hash    crypto.Hash
	// suffix is hashed behind the data.
	suffix []byte
	// check are the first two bytes of the hash.
	check   [2]byte
	numbers []*big.Int
}

// signatureHashes are the hashes a signature may use (RFC 4880, 9.4); MD5 is
// not among them.
var signatureHashes = map[byte]crypto.Hash{
	byte(DigestSHA1): crypto.SHA1, byte(DigestSHA224): crypto.SHA224, byte(DigestSHA256): crypto.SHA256,
	byte(DigestSHA384): crypto.SHA384, byte(DigestSHA512): crypto.SHA512,
}

const (
	packetSignature = 2
	signatureBinary = 0 // of a binary document
)

var errShort = errors.New("signature packet is cut off")

// parseSignature reads exactly one signature packet.
func parseSignature(b []byte) (signature, error) {
	body, err := packetBody(b)
	if err != nil {
		return signature{}, err
	}
	if len(body) == 0 {
		return signature{}, errShort
	}
	switch body[0] {
	case 3:
		return parseV3(body)
	case 4:
		return parseV4(body)
	}
	return signature{}, fmt.Errorf("signature version %d is not supported", body[0])
}

// packetBody takes the packet's header off (RFC 4880, 4.2).
func packetBody(b []byte) ([]byte, error) {
	if len(b) < 2 {
		return nil, errShort
	}
	tag, size := int(b[0]>>2&15), 1<<(b[0]&3) // old format
	rest := b[1:]
	if b[0]&0xc0 == 0xc0 {
		tag, size = int(b[0]&63), newSize(rest)
		if size > 1 && b[1] == 255 {
			rest, size = rest[1:], size-1
		}
	}
	if b[0]&0x80 == 0 || tag != packetSignature || size > 4 || size == 0 {
		return nil, fmt.Errorf("starts with %x: no signature packet", b[:2])
	}
	if len(rest) < size {
		return nil, errShort
	}
	var length uint64
	for _, x := range rest[:size] {
		length = length<<8 | uint64(x)
	}
	if size == 2 && b[0]&0xc0 == 0xc0 {
		length = length - 192<<8 + 192
	}
	if body := rest[size:]; uint64(len(body)) == length {
		return body, nil
	}
	return nil, fmt.Errorf("signature packet of %d bytes, want %d", len(rest)-size, length)
}

// newSize is the number of bytes of a length in the new format; 0: a partial
// length, which signatures do not have.
func newSize(b []byte) int {
	switch {
	case b[0] < 192:
		return 1
	case b[0] < 224:
		return 2
	case b[0] == 255:
		return 5
	}
	return 0
}

// parseV3 reads what real EL5 to EL7 packages carry.
func parseV3(b []byte) (signature, error) {
	const fixed = 19
	if len(b) < fixed {
		return signature{}, errShort
	}
	if b[1] != 5 {
		return signature{}, fmt.Errorf("version 3 signature hashes %d bytes, want 5", b[1])
	}
	s := signature{
		version: 3,
		suffix:  b[2:7],
		created: time.Unix(int64(binary.BigEndian.Uint32(b[3:])), 0).UTC(),
		issuer:  binary.BigEndian.Uint64(b[7:]),
		algo:    b[15],
		check:   [2]byte(b[17:19]),
	}
	return s.finish(b[2], b[16], b[fixed:])
}

func parseV4(b []byte) (signature, error) {
	if len(b) < 6 {
		return signature{}, errShort
	}
	hashedEnd := 6 + int(binary.BigEndian.Uint16(b[4:]))
	if len(b) < hashedEnd+2 {
		return signature{}, errShort
	}
	end := hashedEnd + 2 + int(binary.BigEndian.Uint16(b[hashedEnd:]))
	if len(b) < end+2 {
		return signature{}, errShort
	}
	s := signature{version: 4, algo: b[2], check: [2]byte(b[end : end+2])}
	s.suffix = append([]byte(nil), b[:hashedEnd]...)
	s.suffix = binary.BigEndian.AppendUint32(append(s.suffix, 4, 0xff), uint32(hashedEnd))
	if err := s.subpackets(b[6:hashedEnd], true); err != nil {
		return signature{}, err
	}
	if err := s.subpackets(b[hashedEnd+2:end], false); err != nil {
		return signature{}, err
	}
	if s.created.IsZero() {
		return signature{}, errors.New("signature has no creation time")
	}
	return s.finish(b[1], b[3], b[end+2:])
}

// finish takes the parts that both versions share.
func (s signature) finish(typ, hash byte, numbers []byte) (signature, error) {
	if typ != signatureBinary {
		return signature{}, fmt.Errorf("signature type %d, want %d", typ, signatureBinary)
	}
	var ok bool
	if s.hash, ok = signatureHashes[hash]; !ok {
		return signature{}, fmt.Errorf("signature hash %d is not supported", hash)
	}
	for len(numbers) > 0 {
		n, rest, err := parseNumber(numbers)
		if err != nil {
			return signature{}, err
		}
		s.numbers, numbers = append(s.numbers, n), rest
	}
	return s, nil
}

// parseNumber reads a multiprecision integer (RFC 4880, 3.2), whose length has
// to be exact.
func parseNumber(b []byte) (n *big.Int, rest []byte, err error) {
	if len(b) < 3 {
		return nil, nil, errShort
	}
	length := int(binary.BigEndian.Uint16(b))
	size := (length + 7) / 8
	if size == 0 || len(b) < 2+size {
		return nil, nil, errShort
	}
	if bits.Len8(b[2]) != (length-1)%8+1 {
		return nil, nil, fmt.Errorf("number in signature is not of %d bits", length)
	}
	return new(big.Int).SetBytes(b[2 : 2+size]), b[2+size:], nil
}

// Signature subpackets (RFC 4880, 5.2.3.1).
const (
	subCreated     = 2
	subExpires     = 3
	subIssuer      = 16
	subNotation    = 20
	subSigner      = 28
	subFingerprint = 33
	subCritical    = 0x80
)

func (s *signature) subpackets(b []byte, hashed bool) error {
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

func (s *signature) subpacket(typ byte, data []byte, hashed bool) error {
	switch kind := typ &^ subCritical; {
	case kind == subCreated && hashed && len(data) == 4:
		s.created = time.Unix(int64(binary.BigEndian.Uint32(data)), 0).UTC()
	case kind == subIssuer && len(data) == 8:
		return s.setIssuer(binary.BigEndian.Uint64(data))
	case kind == subFingerprint && len(data) == 21 && data[0] == 4:
		return s.setIssuer(binary.BigEndian.Uint64(data[13:]))
	case kind == subExpires, kind == subNotation, kind == subSigner:
	case typ&subCritical != 0 && hashed:
		return fmt.Errorf("signature has a critical part %d that is not understood", kind)
	}
	return nil
}

func (s *signature) setIssuer(id uint64) error {
	if s.issuer != 0 && s.issuer != id {
		return fmt.Errorf("signature names two keys, %016X and %016X", s.issuer, id)
	}
	s.issuer = id
	return nil
}
