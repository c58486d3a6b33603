package modkey

//lint:file-ignore SA1019 EL6's kernel verifies nothing but DSA of 1024 bits

import (
	"crypto/dsa"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"namibuild/builder/pgp"
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
	return fromPrivate(private, name, Created)
}

func parseOpenPGP(text []byte) (Key, error) {
	_, data, err := pgp.Dearmor(text)
	if err != nil {
		return Key{}, fmt.Errorf("not an armored OpenPGP key: %w", err)
	}
	k, err := pgp.ParseBareKey(data)
	if err != nil {
		return Key{}, err
	}
	private, ok := k.Private.(*dsa.PrivateKey)
	switch {
	case !k.Secret:
		err = errors.New("the file has no private key")
	case k.Locked:
		err = errors.New("the key has a passphrase, want one without")
	case !ok || private.P.BitLen() != 1024 || private.Q.BitLen() != 160:
		err = errors.New("not a DSA key of 1024 bits, which is what EL6's kernel verifies")
	case !consistent(private):
		err = errors.New("the key's numbers are not those of a DSA key")
	case k.Name == "":
		err = errors.New("the key has no name")
	}
	if err != nil {
		return Key{}, err
	}
	return fromPrivate(private, k.Name, k.Created.Unix())
}

// consistent reports whether the numbers of a key belong together. With others
// signing might not end.
func consistent(k *dsa.PrivateKey) bool {
	one := big.NewInt(1)
	return k.Q.ProbablyPrime(20) && k.P.ProbablyPrime(20) &&
		k.G.Cmp(one) > 0 && k.G.Cmp(k.P) < 0 && new(big.Int).Exp(k.G, k.Q, k.P).Cmp(one) == 0 &&
		k.X.Sign() > 0 && k.X.Cmp(k.Q) < 0 && new(big.Int).Exp(k.G, k.X, k.P).Cmp(k.Y) == 0
}

func parsePackets(packets []byte) (Public, error) {
	k, err := pgp.ParseBareKey(packets)
	if err != nil {
		return Public{}, err
	}
	if _, ok := k.Public.(*dsa.PublicKey); !ok || k.Secret {
		return Public{}, errors.New("not a public DSA key")
	}
	return Public{OpenPGP, k.Fingerprint, packets, k.Name, nil}, nil
}

// fromPrivate makes the public half of a key. It has the same bytes every time.
func fromPrivate(private *dsa.PrivateKey, name string, created int64) (Key, error) {
	body := publicBody(&private.PublicKey, created)
	k := &openPGP{private, Public{Kind: OpenPGP, Fingerprint: fmt.Sprintf("%X", pgp.Fingerprint(body)), name: name}}
	certification, err := k.certification(body, name, created)
	if err != nil {
		return Key{}, err
	}
	k.public.Bytes = slices.Concat(pgp.Packet(pgp.TagPublicKey, body), pgp.Packet(pgp.TagUserID, []byte(name)), certification)
	return Key{k.public, k}, nil
}

func publicBody(p *dsa.PublicKey, created int64) []byte {
	body := append(binary.BigEndian.AppendUint32([]byte{4}, uint32(created)), pgp.AlgorithmDSA)
	return slices.Concat(body, pgp.Number(p.P), pgp.Number(p.Q), pgp.Number(p.G), pgp.Number(p.Y))
}

// certification makes the key's own signature over key and name. It says that the
// key may sign.
func (k *openPGP) certification(body []byte, name string, created int64) ([]byte, error) {
	h := sha1.New()
	if err := pgp.WriteCertified(h, body, name); err != nil {
		return nil, err
	}
	d := pgp.Draft{Type: pgp.TypeCertification, Algorithm: pgp.AlgorithmDSA, Hash: pgp.HashSHA1, Created: time.Unix(created, 0),
		Hashed: pgp.Subpacket(pgp.SubKeyFlags, pgp.FlagSign), KeyID: k.id()}
	return d.Sign(h, func(digest []byte) ([]*big.Int, error) {
		r, s := signDSA(k.private, [sha1.Size]byte(digest))
		return []*big.Int{r, s}, nil
	})
}

// id returns the key ID, which is the last eight bytes of the fingerprint.
func (k *openPGP) id() uint64 {
	id, _ := new(big.Int).SetString(k.public.Fingerprint[24:], 16)
	return id.Uint64()
}

// Digest returns what is signed of a module: the SHA-1 of its bytes and of what a
// version 3 signature adds to them.
func Digest(module []byte, epoch int64) [sha1.Size]byte {
	return sha1.Sum(slices.Concat(module, pgp.SuffixV3(time.Unix(epoch, 0))))
}

// sign returns a detached signature as an OpenPGP packet of version 3, which is
// what EL6's gpg makes. text is a Digest for the same epoch as 40 hexadecimal
// digits.
func (k *openPGP) sign(text string, epoch int64) ([]byte, error) {
	digest, err := parseDigest(text)
	if err != nil {
		return nil, err
	}
	r, s := signDSA(k.private, digest)
	return pgp.PacketV3(pgp.AlgorithmDSA, pgp.HashSHA1, time.Unix(epoch, 0), k.id(), digest[:], r, s), nil
}

func (k *openPGP) numbers() [][]byte { return [][]byte{k.private.X.FillBytes(make([]byte, sha1.Size))} }

func (k *openPGP) text() ([]byte, error) { return pgp.Armor(pgp.BlockSecretKey, k.secretPackets()) }

func parseDigest(text string) (digest [sha1.Size]byte, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != sha1.Size || hex.EncodeToString(b) != text {
		return digest, errors.New("want 40 lower-case hexadecimal digits")
	}
	return [sha1.Size]byte(b), nil
}

// secretPackets returns the key with its private half, without a passphrase (RFC
// 4880, 5.5.3).
func (k *openPGP) secretPackets() []byte {
	n := int(binary.BigEndian.Uint16(k.public.Bytes[1:3]))
	public, rest := k.public.Bytes[3:3+n], k.public.Bytes[3+n:]
	secret := pgp.Number(k.private.X)
	var sum uint16
	for _, b := range secret {
		sum += uint16(b)
	}
	body := slices.Concat(public, []byte{0}, binary.BigEndian.AppendUint16(secret, sum))
	return append(pgp.Packet(pgp.TagSecretKey, body), rest...)
}

// checkSignature reports an error unless a packet is a version 3 signature whose
// digest begins like this one. The kernel looks at that first.
func checkSignature(p []byte, digest [sha1.Size]byte) error {
	s, err := pgp.ParseSignature(p)
	switch {
	case err != nil:
		return err
	case s.Version != 3:
		return fmt.Errorf("signature version %d, want 3", s.Version)
	case !s.StartsWith(digest[:]):
		return errors.New("the signature is of another digest")
	}
	return nil
}
