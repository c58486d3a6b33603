// Package modkey signs kernel modules so that the same module always gets the same
// signature. It knows the two forms that kernels verify. EL6's kernel verifies
// OpenPGP signatures by a DSA key; they are made with the nonces of RFC 6979 and
// with a time that the caller gives. Later kernels verify RSA signatures (PKCS #1)
// by an X.509 certificate; these need no random numbers.
//
// New makes a Key, Open and Parse read one from its file. The private half never enters the
// container. Stand-ins for gpg, openssl and the kernel's sign-file run there; they
// send digests out and get signatures back from a Server. A Server made by WithKey
// keeps every signature in a Table. With that table, and WithTable, anybody can
// build the same packages without the key. Scan looks for the private half in what
// a build made, and Check, CheckUnpacked and CheckPackage report it as a LeakError.
package modkey

import (
	"bytes"
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Kind is the form in which a kernel verifies signatures.
type Kind string

// Kinds of keys: OpenPGP is that of EL6, X509 that of EL7 and later.
const (
	OpenPGP Kind = "openpgp"
	X509    Kind = "x509"
)

// Created is when every key says that it was made: 2000-01-01, in seconds since
// 1970. It must be before any source's epoch, at which a module is signed: gpg
// refuses a signature that is older than its key, and older kernels refuse a
// certificate that is not valid yet.
const Created = 946684800

// maxKey is the largest key file, in bytes. One that Text writes has 1,100 or 5,300.
const maxKey = 64 << 10

// Key is a module key with its private half. It does not change.
type Key struct {
	Public
	half
}

// half is the private half of a key.
type half interface {
	// sign returns the signature of a digest at an epoch. Both have the form that
	// the table has.
	sign(digest string, epoch int64) ([]byte, error)
	// numbers returns the secret numbers. Each of them alone reveals the key.
	numbers() [][]byte
	// text returns the key's file.
	text() ([]byte, error)
}

// Public is the public half of a key, which the kernel gets.
type Public struct {
	Kind Kind
	// Fingerprint is upper-case hexadecimal: the 40 digits of an OpenPGP key, or the
	// SHA-256 of a certificate in 64 digits.
	Fingerprint string
	// Bytes are the key, its name and its own signature as OpenPGP packets, or the
	// certificate as DER.
	Bytes       []byte
	name        string            // of the kind OpenPGP
	certificate *x509.Certificate // of the kind X509
}

// New makes a key with a name, which is one line of text: DSA of 1024 bits, because
// EL6's kernel knows nothing else, or RSA of 4096 bits with a certificate.
func New(random io.Reader, kind Kind, name string) (Key, error) {
	k, err := Key{}, error(nil)
	switch {
	case name == "" || strings.ContainsFunc(name, unicode.IsControl):
		err = fmt.Errorf("name %q is not one line of text", name)
	case kind == OpenPGP:
		k, err = newOpenPGP(random, name)
	case kind == X509:
		k, err = newX509(random, name)
	default:
		err = fmt.Errorf("kind %q, want %s or %s", kind, OpenPGP, X509)
	}
	if err != nil {
		return Key{}, fmt.Errorf("making a module key: %w", err)
	}
	return k, nil
}

// Parse reads a key file without a passphrase: one that Text wrote, a DSA key of
// 1024 bits that gpg exported, or a private RSA key and its certificate as PEM,
// which is the form of the kernel's own certs/signing_key.pem.
func Parse(r io.Reader) (Key, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxKey))
	k := Key{}
	switch {
	case err != nil:
	case bytes.Contains(data, []byte("-----BEGIN PGP ")):
		k, err = parseOpenPGP(data)
	case bytes.Contains(data, []byte("-----BEGIN ")):
		k, err = parseX509(data)
	default:
		err = errors.New("neither an armored OpenPGP key nor a key and its certificate as PEM")
	}
	if err != nil {
		return Key{}, fmt.Errorf("reading the module key: %w", err)
	}
	return k, nil
}

// Text returns the key's file, which includes the private half.
func (k Key) Text() ([]byte, error) {
	text, err := k.text()
	if err != nil {
		return nil, fmt.Errorf("writing the module key: %w", err)
	}
	return text, nil
}

// parsePublic reads the OpenPGP packets of a public DSA key, or a certificate of
// an RSA key as DER.
func parsePublic(kind Kind, data []byte) (Public, error) {
	p, err := Public{}, error(nil)
	switch kind {
	case OpenPGP:
		p, err = parsePackets(data)
	case X509:
		p, err = parseCertificate(data)
	default:
		err = fmt.Errorf("kind %q, want %s or %s", kind, OpenPGP, X509)
	}
	if err != nil {
		return Public{}, fmt.Errorf("reading the public module key: %w", err)
	}
	return p, nil
}

// Name returns the key's user name, or the certificate's subject.
func (p Public) Name() string {
	if p.Kind == X509 {
		return cmp.Or(p.certificate.Subject.CommonName, p.certificate.Subject.String())
	}
	return p.name
}

// Algorithm returns the key's algorithm and its bits, such as "DSA 1024".
func (p Public) Algorithm() string {
	if p.Kind == X509 {
		return fmt.Sprintf("RSA %d", p.certificate.PublicKey.(*rsa.PublicKey).N.BitLen())
	}
	return "DSA 1024"
}

// check reports an error unless a signature is one of this digest. Both have the
// form that the table has. Of an OpenPGP signature it compares the beginning of the
// digest, which is what the kernel looks at first.
func (p Public) check(digest string, signature []byte) error {
	if p.Kind == X509 {
		return checkRSA(p.certificate, digest, signature)
	}
	sum, err := parseDigest(digest)
	if err != nil {
		return err
	}
	return checkSignature(signature, sum)
}
