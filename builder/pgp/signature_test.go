package pgp_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"namibuild/builder/pgp"
)

func signRSA(private *rsa.PrivateKey, digest []byte) ([]byte, error) {
	kind := map[int]crypto.Hash{sha1.Size: crypto.SHA1, sha256.Size: crypto.SHA256}[len(digest)]
	return rsa.SignPKCS1v15(nil, private, kind, digest)
}

func numbers(private *rsa.PrivateKey) func([]byte) ([]*big.Int, error) {
	return func(digest []byte) ([]*big.Int, error) {
		s, err := signRSA(private, digest)
		return []*big.Int{new(big.Int).SetBytes(s)}, err
	}
}

// after returns a hash that has seen a text.
func after(h hash.Hash, text string) hash.Hash {
	io.WriteString(h, text)
	return h
}

// TestVerify checks that what is drafted and signed verifies, in both versions,
// and nothing else does.
func TestVerify(t *testing.T) {
	k, private := certified(t)
	other, _ := certified(t)
	good := k.Created().Add(time.Minute)
	v4, err := k.Draft(pgp.TypeBinary, good).Sign(after(sha256.New(), "text"), numbers(private))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha1.Sum(append([]byte("text"), pgp.SuffixV3(good)...))
	n, err := numbers(private)(digest[:])
	if err != nil {
		t.Fatal(err)
	}
	v3 := pgp.PacketV3(pgp.AlgorithmRSA, pgp.HashSHA1, good, k.ID(), digest[:], n...)
	late, err := k.Draft(pgp.TypeBinary, k.Expires()).Sign(after(sha256.New(), "text"), numbers(private))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key     pgp.Key
		packet  []byte
		version int
		text    string
		says    string
	}{
		"version 4":    {k, v4, 4, "text", ""},
		"version 3":    {k, v3, 3, "text", ""},
		"another text": {k, v4, 4, "text ", "hash starts with "},
		"another key":  {other, v4, 4, "text", "verification error"},
		"expired":      {k, late, 4, "text", "after the key expired on 2024-05-06T08:08:09Z"},
	} {
		s, err := pgp.ParseSignature(c.packet)
		if err != nil || s.Version != c.version || s.KeyID != k.ID() {
			t.Fatalf("%s: %+v, %v", name, s, err)
		}
		err = c.key.Verify(s, after(s.Hash.New(), c.text))
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

// TestVerifyDetachedRefusesSHA1 checks that SHA-1 is only good enough for
// packages.
func TestVerifyDetachedRefusesSHA1(t *testing.T) {
	k, private := certified(t)
	at := k.Created().Add(time.Minute)
	d := k.Draft(pgp.TypeBinary, at)
	for kind, h := range map[byte]hash.Hash{pgp.HashSHA1: sha1.New(), pgp.HashSHA256: sha256.New()} {
		d.Hash = kind
		packet, err := d.Sign(after(h, "text"), numbers(private))
		if err != nil {
			t.Fatal(err)
		}
		text, err := pgp.Armor(pgp.BlockSignature, packet)
		if err != nil {
			t.Fatal(err)
		}
		err = k.VerifyDetached(strings.NewReader("text"), text)
		if refused := errors.Is(err, pgp.ErrBadSignature); refused != (kind == pgp.HashSHA1) || err != nil && !refused {
			t.Errorf("hash %d: %v", kind, err)
		}
	}
}
