package repodata_test

import (
	"bytes"
	"crypto"
	"errors"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// key signs in the tests, with RSA and SHA-256 because EL6 supports them.
type key struct {
	entity *openpgp.Entity
	config *packet.Config
}

// newKey makes a key for a test. It is made and signs at epoch, which shows that no clock
// is needed.
func newKey(t *testing.T) key {
	t.Helper()
	plain := false
	c := &packet.Config{RSABits: 2048, DefaultHash: crypto.SHA256, Time: func() time.Time { return time.Unix(epoch, 0) },
		NonDeterministicSignaturesViaNotation: &plain}
	e, err := openpgp.NewEntity("namibuild test", "", "test@example.org", c)
	if err != nil {
		t.Fatal(err)
	}
	return key{e, c}
}

// public returns the armored public key.
func (k key) public(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(k.entity.Serialize(w), w.Close()); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), '\n')
}

// signature returns a binary signature for a package.
func (k key) signature(data []byte) []byte {
	var b bytes.Buffer
	if err := openpgp.DetachSign(&b, k.entity, bytes.NewReader(data), k.config); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// armored returns a signature of repomd.xml.
func (k key) armored(data []byte) ([]byte, error) {
	var b bytes.Buffer
	err := openpgp.ArmoredDetachSign(&b, k.entity, bytes.NewReader(data), k.config)
	return append(b.Bytes(), '\n'), err
}

// check checks a signature of armored.
func (k key) check(data, signature []byte) error {
	_, err := openpgp.CheckArmoredDetachedSignature(openpgp.EntityList{k.entity}, bytes.NewReader(data), bytes.NewReader(signature), k.config)
	return err
}
