package provenance

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// Signer signs bytes: RSA, PKCS #1 v1.5, of their SHA-256, which openssl checks
// with "dgst -sha256 -verify". KeyID is the key's fingerprint.
type Signer struct {
	ID  string
	Raw func(ctx context.Context, data []byte) ([]byte, error)
}

// Verifier checks such a signature of data; its error says what is wrong.
type Verifier struct {
	ID  string
	Raw func(data, signature []byte) error
}

// signer and verifier are what DSSE's library wants.
type signer struct{ Signer }

func (s signer) Sign(ctx context.Context, data []byte) ([]byte, error) { return s.Raw(ctx, data) }
func (s signer) KeyID() (string, error)                                { return s.ID, nil }

type verifier struct{ Verifier }

func (v verifier) Verify(_ context.Context, data, signature []byte) error {
	return v.Raw(data, signature)
}
func (v verifier) KeyID() (string, error)   { return v.ID, nil }
func (v verifier) Public() crypto.PublicKey { return nil }

// Sign gives the DSSE envelope of the statement, as JSON on one line.
func (s Statement) Sign(ctx context.Context, by Signer) ([]byte, error) {
	e, err := dsse.NewEnvelopeSigner(signer{by})
	if err != nil {
		return nil, fmt.Errorf("signing the provenance: %w", err)
	}
	envelope, err := e.SignPayload(ctx, PayloadType, s.payload)
	if err != nil {
		return nil, fmt.Errorf("signing the provenance: %w", err)
	}
	data, err := json.Marshal(envelope)
	if err != nil {
		return nil, fmt.Errorf("signing the provenance: %w", err)
	}
	return append(data, '\n'), nil
}

// ErrOtherKey says that an envelope is not signed by the key that was given, or
// was changed since.
var ErrOtherKey = errors.New("no good signature by this key")

// Verify gives the statement of an envelope that a key has signed. A statement
// that is not what New makes is an error.
func Verify(ctx context.Context, envelope []byte, by Verifier) (Statement, error) {
	fail := func(err error) (Statement, error) {
		return Statement{}, fmt.Errorf("verifying the provenance: %w", err)
	}
	var e dsse.Envelope
	d := json.NewDecoder(bytes.NewReader(envelope))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return fail(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fail(errors.New("something follows the envelope"))
	}
	if e.PayloadType != PayloadType {
		return fail(fmt.Errorf("its payload is %.80q, want %s", e.PayloadType, PayloadType))
	}
	v, err := dsse.NewEnvelopeVerifier(verifier{by})
	if err != nil {
		return fail(err)
	}
	_, payload, err := v.VerifyAndDecode(ctx, &e)
	if err != nil {
		return fail(fmt.Errorf("%w: %w", ErrOtherKey, err))
	}
	if err := check(payload); err != nil {
		return fail(err)
	}
	return Statement{payload}, nil
}
