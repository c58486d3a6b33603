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

// Signer is a key that signs. ID is its fingerprint. Raw returns the RSA signature
// (PKCS #1 v1.5) of the SHA-256 of data, which openssl verifies with "dgst -sha256
// -verify".
type Signer struct {
	ID  string
	Raw func(ctx context.Context, data []byte) ([]byte, error)
}

// Verifier is a key that verifies. ID is its fingerprint. Raw returns an error
// unless signature is a signature of data that Signer describes.
type Verifier struct {
	ID  string
	Raw func(data, signature []byte) error
}

// signer makes a Signer what DSSE's library expects.
type signer struct{ Signer }

func (s signer) Sign(ctx context.Context, data []byte) ([]byte, error) { return s.Raw(ctx, data) }
func (s signer) KeyID() (string, error)                                { return s.ID, nil }

// verifier makes a Verifier what DSSE's library expects.
type verifier struct{ Verifier }

func (v verifier) Verify(_ context.Context, data, signature []byte) error {
	return v.Raw(data, signature)
}
func (v verifier) KeyID() (string, error)   { return v.ID, nil }
func (v verifier) Public() crypto.PublicKey { return nil }

// Sign returns the DSSE envelope of the statement, as one line of JSON.
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

// ErrOtherKey reports that an envelope is not signed by the key that verifies it,
// or was changed after it was signed.
var ErrOtherKey = errors.New("no good signature by this key")

// Verify returns the statement of an envelope that is signed by this key. The
// error is ErrOtherKey if the signature is wrong. A statement of another form than
// New makes is an error.
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
		return fail(errors.New("data follows the envelope"))
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
