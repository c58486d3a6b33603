package modkey

//lint:file-ignore SA1019 EL6's kernel verifies nothing but DSA of 1024 bits

import (
	"bytes"
	"crypto/dsa"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
)

// The numbers of RFC 4880 that are needed here: packet tags (4.3), algorithms
// (9.1, 9.4), signature types (5.2.1), subpackets (5.2.3.1).
const (
	tagSignature = 2
	tagSecretKey = 5
	tagPublicKey = 6
	tagUserID    = 13

	algorithmDSA  = 17
	algorithmSHA1 = 2

	typeBinary        = 0x00
	typeCertification = 0x13

	subpacketCreated = 2
	subpacketIssuer  = 16
	subpacketFlags   = 27
)

// fromPrivate makes the public half of a key with the same bytes every time.
func fromPrivate(private *dsa.PrivateKey, name string, created int64) Key {
	body := publicBody(&private.PublicKey, created)
	sum := sha1.Sum(hashed(body))
	k := Key{Public{Fingerprint: fmt.Sprintf("%X", sum)}, private}
	k.Packets = slices.Concat(wrap(tagPublicKey, body), wrap(tagUserID, []byte(name)), wrap(tagSignature, k.certification(body, name, created)))
	return k
}

func publicBody(p *dsa.PublicKey, created int64) []byte {
	return slices.Concat([]byte{4}, four(created), []byte{algorithmDSA}, number(p.P), number(p.Q), number(p.G), number(p.Y))
}

// hashed is a public key as signatures and fingerprints cover it.
func hashed(body []byte) []byte { return slices.Concat([]byte{0x99}, two(len(body)), body) }

// certification is the key's own signature, version 4, over key and name.
func (k Key) certification(body []byte, name string, created int64) []byte {
	head := []byte{4, typeCertification, algorithmDSA, algorithmSHA1}
	claims := slices.Concat([]byte{5, subpacketCreated}, four(created), []byte{2, subpacketFlags, 2}) // 2: it may sign
	head = slices.Concat(head, two(len(claims)), claims)
	digest := sha1.Sum(slices.Concat(hashed(body), []byte{0xb4}, four(int64(len(name))), []byte(name), head, []byte{4, 0xff}, four(int64(len(head)))))
	issuer := slices.Concat([]byte{9, subpacketIssuer}, k.id())
	return slices.Concat(head, two(len(issuer)), issuer, digest[:2], k.sign(digest))
}

// id is the key ID: the last eight bytes of the fingerprint.
func (k Key) id() []byte {
	id, _ := new(big.Int).SetString(k.Fingerprint[24:], 16)
	return id.FillBytes(make([]byte, 8))
}

// Digest is what is signed of a module that is a detached, version 3 signature's:
// the SHA-1 over its bytes, the type and the time.
func Digest(module []byte, epoch int64) [sha1.Size]byte {
	return sha1.Sum(slices.Concat(module, []byte{typeBinary}, four(epoch)))
}

// Sign gives a detached signature as an OpenPGP packet of version 3, which is
// what EL6's gpg makes of data. The digest is Digest's, for the same epoch.
func (k Key) Sign(digest [sha1.Size]byte, epoch int64) []byte {
	body := slices.Concat([]byte{3, 5, typeBinary}, four(epoch), k.id(), []byte{algorithmDSA, algorithmSHA1}, digest[:2], k.sign(digest))
	return wrap(tagSignature, body)
}

func (k Key) sign(digest [sha1.Size]byte) []byte {
	r, s := signDSA(k.private, digest)
	return slices.Concat(number(r), number(s))
}

// secretPackets are the key with its private half, without a passphrase.
func (k Key) secretPackets() []byte {
	public, rest := unwrap(k.Packets)
	secret := number(k.private.X)
	sum := 0
	for _, b := range secret {
		sum += int(b)
	}
	return slices.Concat(wrap(tagSecretKey, slices.Concat(public, []byte{0}, secret, two(sum))), rest)
}

// wrap puts the header of the old form with two bytes of length before a packet.
func wrap(tag byte, body []byte) []byte {
	return slices.Concat([]byte{0x80 | tag<<2 | 1}, two(len(body)), body)
}

// unwrap parts the first packet's body from the packets after it.
func unwrap(packets []byte) (body, rest []byte) {
	n := int(binary.BigEndian.Uint16(packets[1:3]))
	return packets[3 : 3+n], packets[3+n:]
}

// number is a multi-precision integer: its bits, its bytes.
func number(n *big.Int) []byte { return slices.Concat(two(n.BitLen()), n.Bytes()) }

func two(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

func four(n int64) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// checkSignature says whether a packet is a signature over this digest.
func checkSignature(p []byte, digest [sha1.Size]byte) error {
	const head = 3 + 2 + 1 + 4 + 8 // the packet's header, version, length, type, time, key ID
	if len(p) < head+4 || !bytes.HasPrefix(p, []byte{0x80 | tagSignature<<2 | 1}) || p[3] != 3 {
		return fmt.Errorf("it is no signature of version 3")
	}
	if !bytes.Equal(p[head+2:head+4], digest[:2]) {
		return fmt.Errorf("it is of another digest")
	}
	return nil
}
