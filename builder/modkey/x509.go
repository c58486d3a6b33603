package modkey

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"
)

const (
	// newBits is the size of a new RSA key, which is that of the kernel's own build.
	newBits = 4096
	// minBits is the smallest size of a key that is read.
	minBits = 2048
)

// validYears is how long a certificate is valid: as long as with the -days 36500 of
// the kernel's own build.
const validYears = 100

// certified is the private half of a key that has a certificate.
type certified struct {
	private     *rsa.PrivateKey
	certificate []byte // DER
}

func newX509(random io.Reader, name string) (Key, error) {
	private, err := rsa.GenerateKey(random, newBits)
	if err != nil {
		return Key{}, err
	}
	serial, err := rand.Int(random, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return Key{}, err
	}
	identifier := sha1.Sum(x509.MarshalPKCS1PublicKey(&private.PublicKey))
	from := time.Unix(Created, 0).UTC()
	template := &x509.Certificate{
		SerialNumber:          serial.Add(serial, big.NewInt(1)),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             from,
		NotAfter:              from.AddDate(validYears, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		SubjectKeyId:          identifier[:],
		AuthorityKeyId:        identifier[:],
		SignatureAlgorithm:    x509.SHA256WithRSA,
	}
	der, err := x509.CreateCertificate(random, template, template, &private.PublicKey, private)
	if err != nil {
		return Key{}, err
	}
	return withCertificate(private, der)
}

// withCertificate returns the key of two halves, which must belong together.
func withCertificate(private *rsa.PrivateKey, der []byte) (Key, error) {
	public, err := parseCertificate(der)
	if err != nil {
		return Key{}, err
	}
	small := func(prime *big.Int) bool { return prime.BitLen() < minBits/4 }
	if len(private.Primes) != 2 || slices.ContainsFunc(private.Primes, small) {
		return Key{}, errors.New("the key is not made of two large primes")
	}
	if !private.PublicKey.Equal(public.certificate.PublicKey) {
		return Key{}, errors.New("the certificate is that of another key")
	}
	return Key{public, &certified{private, der}}, nil
}

// parseX509 reads a private key and a certificate as PEM, in any order.
func parseX509(data []byte) (Key, error) {
	var private *rsa.PrivateKey
	var certificate []byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		var err error
		switch block.Type {
		case "CERTIFICATE":
			certificate = block.Bytes
		case "PRIVATE KEY", "RSA PRIVATE KEY":
			private, err = parseRSA(block)
		case "ENCRYPTED PRIVATE KEY":
			err = errors.New("the key has a passphrase, want one without")
		}
		if err != nil {
			return Key{}, err
		}
	}
	switch {
	case private == nil:
		return Key{}, errors.New("there is no private key")
	case certificate == nil:
		return Key{}, errors.New("there is no certificate, want the key and its certificate in one file")
	}
	return withCertificate(private, certificate)
}

func parseRSA(block *pem.Block) (*rsa.PrivateKey, error) {
	if block.Headers["DEK-Info"] != "" {
		return nil, errors.New("the key has a passphrase, want one without")
	}
	if block.Type == "RSA PRIVATE KEY" {
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an RSA key")
	}
	return private, nil
}

func parseCertificate(der []byte) (Public, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return Public{}, err
	}
	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		return Public{}, errors.New("the certificate is not that of an RSA key")
	}
	if bits := key.N.BitLen(); bits < minBits {
		return Public{}, fmt.Errorf("RSA key of %d bits, want at least %d", bits, minBits)
	}
	return Public{X509, fmt.Sprintf("%X", sha256.Sum256(der)), der, "", c}, nil
}

// sign returns a signature of PKCS #1, version 1.5.
func (k *certified) sign(digest string, _ int64) ([]byte, error) {
	a, sum, err := parseNamed(digest)
	if err != nil {
		return nil, err
	}
	return rsa.SignPKCS1v15(nil, k.private, a.hash, sum)
}

func (k *certified) numbers() [][]byte {
	all := [][]byte{k.private.D.Bytes()}
	for _, prime := range k.private.Primes {
		all = append(all, prime.Bytes())
	}
	return all
}

func (k *certified) text() ([]byte, error) {
	private, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: private})
	if err == nil {
		err = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: k.certificate})
	}
	return b.Bytes(), err
}
