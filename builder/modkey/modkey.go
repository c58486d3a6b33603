// Package modkey signs kernel modules so that the same module gets the same
// signature twice: DSA as EL6's kernel verifies it, with the nonces of RFC 6979
// and a time that the caller gives.
//
// A Key holds the private half and stays with the driver. In the container a
// stand-in for gpg sends digests out and gets signatures back; Answer is the
// driver's end of that. Every signature made is noted in a Table, with which
// anybody can build the same packages without the key.
package modkey

//lint:file-ignore SA1019 EL6's kernel verifies nothing but DSA of 1024 bits

import (
	"bytes"
	"crypto/dsa"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
	"unicode"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Created is when every key says that it was made, 2000-01-01: gpg refuses a
// signature that is older than its key, and a module is signed at its source's
// epoch.
const Created = 946684800

// maxKey is how big a key's file may be, in bytes; one of ours has 1,100.
const maxKey = 64 << 10

// Key is a module key with its private half. It is not changed after it was made.
type Key struct {
	Public
	private *dsa.PrivateKey
}

// Public is the half of a key that the kernel gets.
type Public struct {
	// Fingerprint is 40 hexadecimal digits, upper case.
	Fingerprint string
	// Packets are the key, its name and its own signature as OpenPGP has them.
	Packets []byte
}

// New makes a key of that name: DSA of 1024 bits, all that EL6's kernel knows.
func New(random io.Reader, name string) (Key, error) {
	if name == "" || strings.ContainsFunc(name, unicode.IsControl) {
		return Key{}, fmt.Errorf("making a module key: its name is %q, want one line of text", name)
	}
	private := &dsa.PrivateKey{}
	err := dsa.GenerateParameters(&private.Parameters, random, dsa.L1024N160)
	if err == nil {
		err = dsa.GenerateKey(private, random)
	}
	if err != nil {
		return Key{}, fmt.Errorf("making a module key: %w", err)
	}
	return fromPrivate(private, name, Created), nil
}

// Parse reads a key as Armored writes it and as gpg exports secret keys: DSA of
// 1024 bits, without a passphrase.
func Parse(r io.Reader) (Key, error) {
	k, err := parse(io.LimitReader(r, maxKey))
	if err != nil {
		return Key{}, fmt.Errorf("reading the module key: %w", err)
	}
	return k, nil
}

func parse(r io.Reader) (Key, error) {
	block, err := armor.Decode(r)
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

// Armored is the key with its private half as text.
func (k Key) Armored() ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.Encode(&b, "PGP PRIVATE KEY BLOCK", nil)
	if err == nil {
		_, err = w.Write(k.secretPackets())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("writing the module key: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Name is the key's user ID.
func (p Public) Name() string {
	packets := packet.NewReader(bytes.NewReader(p.Packets))
	for {
		next, err := packets.Next()
		if err != nil {
			return ""
		}
		if name, ok := next.(*packet.UserId); ok {
			return name.Id
		}
	}
}

// ParsePublic reads the OpenPGP packets of a public DSA key.
func ParsePublic(packets []byte) (Public, error) {
	first, err := packet.Read(bytes.NewReader(packets))
	if err != nil {
		return Public{}, fmt.Errorf("reading the public module key: %w", err)
	}
	key, ok := first.(*packet.PublicKey)
	if !ok || key.PubKeyAlgo != packet.PubKeyAlgoDSA {
		return Public{}, errors.New("reading the public module key: it is no DSA key")
	}
	return Public{Fingerprint: fmt.Sprintf("%X", key.Fingerprint), Packets: packets}, nil
}

// When is the time of a signature in words.
func When(epoch int64) string { return time.Unix(epoch, 0).UTC().Format("2006-01-02 15:04:05 UTC") }
