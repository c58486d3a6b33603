// Package modkey signs kernel modules so that the same module gets the same
// signature twice. It knows the two ways in which kernels do it: EL6's verifies
// OpenPGP signatures by a DSA key, made here with the nonces of RFC 6979 and a
// time that the caller gives; later ones verify RSA signatures of PKCS #1, which
// are no other twice, by an X.509 certificate.
//
// A Key holds the private half and stays with the driver. In the container
// stand-ins for gpg, openssl and the kernel's sign-file send digests out and get
// signatures back; Answer is the driver's end of that. Every signature made is
// noted in a Table, with which anybody can build the same packages without the
// key.
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
	"time"
	"unicode"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Kind is how a kernel knows its key.
type Kind string

// The kinds: OpenPGP is EL6's, X509 that of EL7 and later.
const (
	OpenPGP Kind = "openpgp"
	X509    Kind = "x509"
)

// Created is when every key says that it was made, 2000-01-01: gpg refuses a
// signature that is older than its key, and a module is signed at its source's
// epoch. Older kernels refuse a certificate that is not valid yet.
const Created = 946684800

// maxKey is how big a key's file may be, in bytes; one of ours has 1,100 or 5,300.
const maxKey = 64 << 10

// Key is a module key with its private half. It is not changed after it was made.
type Key struct {
	Public
	half
}

// half is the private half of a key.
type half interface {
	// sign gives the signature of a digest, as the table holds both, at an epoch.
	sign(digest string, epoch int64) ([]byte, error)
	// numbers are those of which each alone gives the key away.
	numbers() [][]byte
	// text is the key's file.
	text() ([]byte, error)
}

// Public is the half of a key that the kernel gets.
type Public struct {
	Kind Kind
	// Fingerprint is upper-case hexadecimal: 40 digits of an OpenPGP key, 64 of a
	// certificate, whose SHA-256 it is.
	Fingerprint string
	// Bytes are the key, its name and its own signature as OpenPGP packets, or the
	// certificate as DER.
	Bytes       []byte
	certificate *x509.Certificate // of that kind
}

// New makes a key of that name: DSA of 1024 bits, all that EL6's kernel knows, or
// RSA of 4096 bits with a certificate.
func New(random io.Reader, kind Kind, name string) (Key, error) {
	k, err := Key{}, error(nil)
	switch {
	case name == "" || strings.ContainsFunc(name, unicode.IsControl):
		err = fmt.Errorf("its name is %q, want one line of text", name)
	case kind == OpenPGP:
		k, err = newOpenPGP(random, name)
	case kind == X509:
		k, err = newX509(random, name)
	default:
		err = fmt.Errorf("its kind is %q, want %s or %s", kind, OpenPGP, X509)
	}
	if err != nil {
		return Key{}, fmt.Errorf("making a module key: %w", err)
	}
	return k, nil
}

// Parse reads a key's file, without a passphrase: as Text writes it; a DSA key of
// 1024 bits as gpg exports it; a private RSA key and its certificate as PEM,
// which is the kernel's own certs/signing_key.pem.
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
		err = errors.New("it is neither an armored OpenPGP key nor a key and its certificate as PEM")
	}
	if err != nil {
		return Key{}, fmt.Errorf("reading the module key: %w", err)
	}
	return k, nil
}

// Text is the key's file, private half included.
func (k Key) Text() ([]byte, error) {
	text, err := k.text()
	if err != nil {
		return nil, fmt.Errorf("writing the module key: %w", err)
	}
	return text, nil
}

// ParsePublic reads the OpenPGP packets of a public DSA key, or a certificate of
// an RSA key as DER.
func ParsePublic(kind Kind, data []byte) (Public, error) {
	p, err := Public{}, error(nil)
	switch kind {
	case OpenPGP:
		p, err = parsePackets(data)
	case X509:
		p, err = parseCertificate(data)
	default:
		err = fmt.Errorf("its kind is %q, want %s or %s", kind, OpenPGP, X509)
	}
	if err != nil {
		return Public{}, fmt.Errorf("reading the public module key: %w", err)
	}
	return p, nil
}

// Name is the key's user ID, or the certificate's subject.
func (p Public) Name() string {
	if p.Kind == X509 {
		return cmp.Or(p.certificate.Subject.CommonName, p.certificate.Subject.String())
	}
	packets := packet.NewReader(bytes.NewReader(p.Bytes))
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

// Algorithm is what signs: "DSA 1024", "RSA 4096".
func (p Public) Algorithm() string {
	if p.Kind == X509 {
		return fmt.Sprintf("RSA %d", p.certificate.PublicKey.(*rsa.PublicKey).N.BitLen())
	}
	return "DSA 1024"
}

// check says whether a signature is one of this digest, both as the table holds
// them. Of an OpenPGP one it looks at what the kernel looks at first: the
// digest's beginning.
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

// When is the time of a signature in words.
func When(epoch int64) string { return time.Unix(epoch, 0).UTC().Format("2006-01-02 15:04:05 UTC") }
