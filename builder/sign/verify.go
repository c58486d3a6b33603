package sign

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// ErrBadSignature: what was signed is not what is there, or another key did it.
var ErrBadSignature = errors.New("bad signature")

// VerifyDetached checks an armored signature of what r holds. The key is judged
// by the time of the signature.
func (c Certificate) VerifyDetached(r io.Reader, signature []byte) error {
	block, err := armor.Decode(bytes.NewReader(signature))
	if err != nil || block.Type != openpgp.SignatureType {
		return fmt.Errorf("%w: no armored signature", ErrBadSignature)
	}
	raw, err := io.ReadAll(block.Body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	p, err := packet.Read(bytes.NewReader(raw))
	s, ok := p.(*packet.Signature)
	if err != nil || !ok {
		return fmt.Errorf("%w: no signature packet", ErrBadSignature)
	}
	ring, err := openpgp.ReadKeyRing(bytes.NewReader(c.packets))
	if err != nil {
		return err
	}
	at := &packet.Config{Time: func() time.Time { return s.CreationTime }}
	if _, err := openpgp.CheckDetachedSignature(ring, r, bytes.NewReader(raw), at); err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	return nil
}

// VerifyRaw checks what Raw makes.
func (c Certificate) VerifyRaw(data, signature []byte) error {
	sum := sha256.Sum256(data)
	if err := rsa.VerifyPKCS1v15(c.public, crypto.SHA256, sum[:], signature); err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	return nil
}
