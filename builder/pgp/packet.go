package pgp

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"
)

// Packet puts the header of the old format with a length of two bytes before a
// body, which is what gpg writes and every rpm reads. The body has at most 65535
// bytes.
func Packet(tag byte, body []byte) []byte {
	head := binary.BigEndian.AppendUint16([]byte{0x80 | tag<<2 | 1}, uint16(len(body)))
	return append(head, body...)
}

// Number writes a multiprecision integer: its bits, its bytes (RFC 4880, 3.2).
func Number(n *big.Int) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(n.BitLen())), n.Bytes()...)
}

// Subpacket writes a subpacket of a signature. The data has fewer than 191 bytes.
func Subpacket(kind byte, data ...byte) []byte {
	return append([]byte{byte(len(data) + 1), kind}, data...)
}

// signatureBody takes the header off the only packet in b, a signature (RFC
// 4880, 4.2).
func signatureBody(b []byte) ([]byte, error) {
	if len(b) < 2 {
		return nil, errShort
	}
	newFormat := b[0]&0xc0 == 0xc0
	tag, size := int(b[0]>>2&15), 1<<(b[0]&3) // old format
	rest := b[1:]
	if newFormat {
		tag, size = int(b[0]&63), newSize(rest)
		if size > 1 && b[1] == 255 {
			rest, size = rest[1:], size-1
		}
	}
	if b[0]&0x80 == 0 || tag != tagSignature || size > 4 || size == 0 {
		return nil, fmt.Errorf("no signature packet: starts with %x", b[:2])
	}
	if len(rest) < size {
		return nil, errShort
	}
	var length uint64
	for _, x := range rest[:size] {
		length = length<<8 | uint64(x)
	}
	if size == 2 && newFormat {
		length = length - 192<<8 + 192
	}
	if body := rest[size:]; uint64(len(body)) == length {
		return body, nil
	}
	return nil, fmt.Errorf("signature packet of %d bytes, want %d", len(rest)-size, length)
}

// newSize returns the number of bytes that a length in the new format takes, or
// 0 for a partial length, which signatures do not have.
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

// parseNumber reads a multiprecision integer, whose length must be exact.
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
