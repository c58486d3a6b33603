package modkey

//lint:file-ignore SA1019 EL6's kernel verifies nothing but DSA of 1024 bits

import (
	"bytes"
	"crypto/dsa"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
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

// openPGP is the private half of a key that gpg knows.
type openPGP struct {
	private *dsa.PrivateKey
	public  Public
}

func newOpenPGP(random io.Reader, name string) (Key, error) {
	private := &dsa.PrivateKey{}
	err := dsa.GenerateParameters(&private.Parameters, random, dsa.L1024N160)
	if err == nil {
		err = dsa.GenerateKey(private, random)
	}
	if err != nil {
		return Key{}, err
	}
	return fromPrivate(private, name, Created), nil
}

func parseOpenPGP(data []byte) (Key, error) {
	block, err := armor.Decode(bytes.NewReader(data))
	if err != nil {
		return Key{}, fmt.Errorf("it is no armored OpenPGP key: %w", err)
	}
	packets := packet.NewReader(block.Body)
	first, err := packets.Next()
	if err != nil {
		return Key{}, err
	}
	secret, ok := first.(*packet.PrivateKey)
	if !ok {
		return Key{}, errors.New("it begins with no private key")
	}
	if secret.Encrypted {
		return Key{}, errors.New("it has a passphrase; want one without")
	}
	private, ok := secret.PrivateKey.(*dsa.PrivateKey)
	if !ok || private.P.BitLen() != 1024 || private.Q.BitLen() != 160 {
		return Key{}, errors.New("it is no DSA key of 1024 bits, which is what EL6's kernel verifies")
	}
	if !sound(private) {
		return Key{}, errors.New("its numbers are no DSA key's")
	}
	next, err := packets.Next()
	if err != nil {
		return Key{}, err
	}
	name, ok := next.(*packet.UserId)
	if !ok {
		return Key{}, errors.New("it has no name")
	}
	return fromPrivate(private, name.Id, secret.CreationTime.Unix()), nil
}

// sound holds that the numbers belong together, so that signing ends.
func sound(k *dsa.PrivateKey) bool {
	one := big.NewInt(1)
	return k.Q.ProbablyPrime(20) && k.P.ProbablyPrime(20) &&
		k.G.Cmp(one) > 0 && k.G.Cmp(k.P) < 0 && new(big.Int).Exp(k.G, k.Q, k.P).Cmp(one) == 0 &&
		k.X.Sign() > 0 && k.X.Cmp(k.Q) < 0 && new(big.Int).Exp(k.G, k.X, k.P).Cmp(k.Y) == 0
}

func parsePackets(packets []byte) (Public, error) {
	first, err := packet.Read(bytes.NewReader(packets))
	if err != nil {
		return Public{}, err
	}
	key, ok := first.(*packet.PublicKey)
	if !ok || key.PubKeyAlgo != packet.PubKeyAlgoDSA {
		return Public{}, errors.New("it is no DSA key")
	}
	return Public{Kind: OpenPGP, Fingerprint: fmt.Sprintf("%X", key.Fingerprint), Bytes: packets}, nil
}

// fromPrivate makes the public half of a key with the same bytes every time.
func fromPrivate(private *dsa.PrivateKey, name string, created int64) Key {
	body := publicBody(&private.PublicKey, created)
	k := &openPGP{private, Public{Kind: OpenPGP, Fingerprint: fmt.Sprintf("%X", sha1.Sum(hashed(body)))}}
	k.public.Bytes = slices.Concat(wrap(tagPublicKey, body), wrap(tagUserID, []byte(name)), wrap(tagSignature, k.certification(body, name, created)))
	return Key{k.public, k}
}

func publicBody(p *dsa.PublicKey, created int64) []byte {
	return slices.Concat([]byte{4}, four(created), []byte{algorithmDSA}, number(p.P), number(p.Q), number(p.G), number(p.Y))
}

// hashed is a public key as signatures and fingerprints cover it.
func hashed(body []byte) []byte { return slices.Concat([]byte{0x99}, two(len(body)), body) }

// certification is the key's own signature, version 4, over key and name.
func (k *openPGP) certification(body []byte, name string, created int64) []byte {
	head := []byte{4, typeCertification, algorithmDSA, algorithmSHA1}
	claims := slices.Concat([]byte{5, subpacketCreated}, four(created), []byte{2, subpacketFlags, 2}) // 2: it may sign
	head = slices.Concat(head, two(len(claims)), claims)
	digest := sha1.Sum(slices.Concat(hashed(body), []byte{0xb4}, four(int64(len(name))), []byte(name), head, []byte{4, 0xff}, four(int64(len(head)))))
	issuer := slices.Concat([]byte{9, subpacketIssuer}, k.id())
	return slices.Concat(head, two(len(issuer)), issuer, digest[:2], k.signed(digest))
}

// id is the key ID: the last eight bytes of the fingerprint.
func (k *openPGP) id() []byte {
	id, _ := new(big.Int).SetString(k.public.Fingerprint[24:], 16)
	return id.FillBytes(make([]byte, 8))
}

// Digest is what is signed of a module that is a detached, version 3 signature's:
// the SHA-1 over its bytes, the type and the time.
func Digest(module []byte, epoch int64) [sha1.Size]byte {
	return sha1.Sum(slices.Concat(module, []byte{typeBinary}, four(epoch)))
}

// sign gives a detached signature as an OpenPGP packet of version 3, which is
// what EL6's gpg makes of data. The digest is Digest's for the same epoch, as 40
// hexadecimal digits.
func (k *openPGP) sign(text string, epoch int64) ([]byte, error) {
	digest, err := parseDigest(text)
	if err != nil {
		return nil, err
	}
	body := slices.Concat([]byte{3, 5, typeBinary}, four(epoch), k.id(), []byte{algorithmDSA, algorithmSHA1}, digest[:2], k.signed(digest))
	return wrap(tagSignature, body), nil
}

func (k *openPGP) signed(digest [sha1.Size]byte) []byte {
	r, s := signDSA(k.private, digest)
	return slices.Concat(number(r), number(s))
}

func (k *openPGP) numbers() [][]byte { return [][]byte{k.private.X.FillBytes(make([]byte, sha1.Size))} }

func (k *openPGP) text() ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.Encode(&b, "PGP PRIVATE KEY BLOCK", nil)
	if err == nil {
		_, err = w.Write(k.secretPackets())
	}
	if err == nil {
		err = w.Close()
	}
	b.WriteByte('\n')
	return b.Bytes(), err
}

func parseDigest(text string) (digest [sha1.Size]byte, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != sha1.Size || hex.EncodeToString(b) != text {
		return digest, errors.New("want 40 lower-case hexadecimal digits")
	}
	return [sha1.Size]byte(b), nil
}

// secretPackets are the key with its private half, without a passphrase.
func (k *openPGP) secretPackets() []byte {
	public, rest := unwrap(k.public.Bytes)
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
