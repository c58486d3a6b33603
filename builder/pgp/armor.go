package pgp

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
)

// Kinds of armored blocks: the words after BEGIN.
const (
	BlockPublicKey = "PGP PUBLIC KEY BLOCK"
	BlockSecretKey = "PGP PRIVATE KEY BLOCK"
	BlockSignature = "PGP SIGNATURE"
)

// Armor writes packets as text.
func Armor(kind string, packets []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := armor.Encode(&out, kind, nil)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(packets); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Dearmor reads the first armored block of text. Its error is io.EOF if there is
// none.
func Dearmor(text []byte) (kind string, packets []byte, err error) {
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		return "", nil, err
	}
	packets, err = io.ReadAll(block.Body)
	return block.Type, packets, err
}

// readEntity reads the only key in data, public or secret, armored or not, and
// returns its packets too.
func readEntity(data []byte) (*openpgp.Entity, []byte, error) {
	packets := data
	if block, err := armor.Decode(bytes.NewReader(data)); err == nil {
		if block.Type != BlockPublicKey && block.Type != BlockSecretKey {
			return nil, nil, fmt.Errorf("it holds a %q, want a key", block.Type)
		}
		if packets, err = io.ReadAll(block.Body); err != nil {
			return nil, nil, notKey(err)
		}
	}
	ring, err := openpgp.ReadKeyRing(bytes.NewReader(packets))
	if err != nil {
		return nil, nil, notKey(err)
	}
	if len(ring) != 1 {
		return nil, nil, fmt.Errorf("it holds %d keys, want one", len(ring))
	}
	return ring[0], packets, nil
}

// notKey returns ErrNotKey for an error of the OpenPGP library, whose words say nothing to
// the owner of a key. It keeps the error of a key that the library does not support.
func notKey(err error) error {
	var unsupported pgperrors.UnsupportedError
	if errors.As(err, &unsupported) {
		return err
	}
	return ErrNotKey
}
