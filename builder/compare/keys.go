package compare

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
)

// keys returns the tokens of all public keys in data: OpenPGP keys and X.509
// certificates in binary or spelled out in C (crypto/signature/key.h), and the
// numbers there that give their lengths.
func keys(data []byte) []token {
	var all []token
	for at := 0; at < len(data); at++ {
		if data[at] != 0x99 && data[at] != 0x30 {
			continue
		}
		if n := keyLength(data[at:]); n > 0 {
			all = append(all, token{from: at, to: at + n, cause: moduleKey})
			at += n - 1
		}
	}
	for _, form := range spelled {
		for _, at := range form.FindAllIndex(data, -1) {
			all = append(all, spelledKey(data, at[0], at[1])...)
		}
	}
	return all
}

// spelled are the forms of a key in C: a list of bytes, and a string of escapes as
// bin2c writes it.
var (
	spelled = []*regexp.Regexp{
		regexp.MustCompile(`(?:0x[0-9a-fA-F]{1,2},?\s*){64,}`),
		regexp.MustCompile(`(?:\\x[0-9a-fA-F]{2}|"\s*"){64,}`),
	}
	spelledByte = regexp.MustCompile(`(?:0x|\\x)([0-9a-fA-F]{1,2})`)
	lengthForm  = regexp.MustCompile(`\b(\d{3,5})(?: bytes|;)`)
)

// spelledKey returns the token of a key that is spelled out from one offset up to
// another, and those of its length in the text around it; none if it is no key.
func spelledKey(data []byte, from, to int) []token {
	var key []byte
	for _, m := range spelledByte.FindAllSubmatch(data[from:to], -1) {
		n, _ := strconv.ParseUint(string(m[1]), 16, 8) // the form has only hexadecimal digits
		key = append(key, byte(n))
	}
	if keyLength(key) == 0 {
		return nil
	}
	all := []token{{from: from, to: to, cause: moduleKey}}
	for _, at := range lengthForm.FindAllSubmatchIndex(data, -1) {
		if string(data[at[2]:at[3]]) == strconv.Itoa(len(key)) {
			all = append(all, token{from: at[2], to: at[3], cause: moduleKey})
		}
	}
	return all
}

// keyLength returns how many bytes the key at the start of data takes, 0 if there
// is none.
func keyLength(data []byte) int {
	switch {
	case len(data) < 64:
		return 0
	case data[0] == 0x99:
		return openPGPLength(data)
	case data[0] == 0x30 && data[1] == 0x82:
		n := 4 + int(binary.BigEndian.Uint16(data[2:]))
		if n > len(data) {
			return 0
		}
		if _, err := x509.ParseCertificate(data[:n]); err != nil {
			return 0
		}
		return n
	}
	return 0
}

// openPGPLength returns the length of the transferable public key at the start of
// data, 0 if there is none. Such a key is a key packet in the old format with two
// bytes of length (RFC 4880, 4.2.1), and the user IDs, signatures and subkeys
// that follow it.
func openPGPLength(data []byte) int {
	n := packetLength(data)
	if n == 0 || !publicKey(data[3:n]) {
		return 0
	}
	for {
		next := packetLength(data[n:])
		if next == 0 || !bytes.ContainsRune([]byte{2, 13, 14}, rune(data[n]>>2&15)) { // signature, user ID, subkey
			return n
		}
		n += next
	}
}

// packetLength returns the length of the packet in the old format at the start of
// data, 0 if there is none or data cuts it off.
func packetLength(data []byte) int {
	if len(data) < 3 || data[0]&0xc0 != 0x80 {
		return 0
	}
	n := 0
	switch data[0] & 3 {
	case 0:
		n = 2 + int(data[1])
	case 1:
		n = 3 + int(binary.BigEndian.Uint16(data[1:]))
	}
	if n > len(data) {
		return 0
	}
	return n
}

// publicKey reports whether body is that of a key packet: version 3 or 4, RSA or
// DSA, the numbers of that algorithm, and nothing else (RFC 4880, 5.5.2).
func publicKey(body []byte) bool {
	if len(body) < 8 || body[0] != 3 && body[0] != 4 {
		return false
	}
	rest := body[5:]
	if body[0] == 3 {
		rest = body[7:]
	}
	numbers := map[byte]int{1: 2, 17: 4}[rest[0]]
	rest = rest[1:]
	for ; numbers > 0; numbers-- {
		if len(rest) < 2 {
			return false
		}
		n := 2 + (int(binary.BigEndian.Uint16(rest))+7)/8
		if n == 2 || n > len(rest) {
			return false
		}
		if rest = rest[n:]; numbers == 1 {
			return len(rest) == 0
		}
	}
	return false
}

// keyText returns what is shown of a key, or of the number that gives its length.
func keyText(data []byte) string {
	if len(data) < 64 {
		return string(data)
	}
	return fmt.Sprintf("key of sha256 %.16x", sha256.Sum256(data))
}
