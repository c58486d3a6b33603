package modkey

import (
	"crypto"
	"crypto/rsa"
	_ "crypto/sha512" // for the hashes below; the others are linked already
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// algorithm is a hash that a kernel can be configured to sign with: id is its name
// in CMS, prefix the beginning of its DigestInfo (RFC 8017, 9.2, note 1).
type algorithm struct {
	hash   crypto.Hash
	id     asn1.ObjectIdentifier
	prefix string
}

var algorithms = map[string]algorithm{
	"sha1":   {crypto.SHA1, asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, "3021300906052b0e03021a05000414"},
	"sha224": {crypto.SHA224, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 4}, "302d300d06096086480165030402040500041c"},
	"sha256": {crypto.SHA256, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, "3031300d060960864801650304020105000420"},
	"sha384": {crypto.SHA384, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, "3041300d060960864801650304020205000430"},
	"sha512": {crypto.SHA512, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, "3051300d060960864801650304020305000440"},
}

// parseNamed reads a digest as requests name it: the hash's name, a blank, the sum
// in lower-case hexadecimal.
func parseNamed(digest string) (a algorithm, sum []byte, err error) {
	name, text, _ := strings.Cut(digest, " ")
	a, ok := algorithms[name]
	if !ok {
		return a, nil, fmt.Errorf("unknown hash %q, want sha1, sha224, sha256, sha384 or sha512", name)
	}
	sum, err = hex.DecodeString(text)
	if err != nil || len(sum) != a.hash.Size() || hex.EncodeToString(sum) != text {
		return a, nil, fmt.Errorf("want %d lower-case hexadecimal digits after %s", 2*a.hash.Size(), name)
	}
	return a, sum, nil
}

// fromDigestInfo returns the digest in the input of openssl rsautl -sign, which is
// in hexadecimal here.
func fromDigestInfo(text string) (string, error) {
	for name, a := range algorithms {
		if sum, ok := strings.CutPrefix(text, a.prefix); ok && len(sum) == 2*a.hash.Size() {
			return name + " " + sum, nil
		}
	}
	return "", errors.New("not a DigestInfo of a known hash")
}

// checkRSA verifies a signature that sign made of a digest.
func checkRSA(c *x509.Certificate, digest string, signature []byte) error {
	a, sum, err := parseNamed(digest)
	if err != nil {
		return err
	}
	return rsa.VerifyPKCS1v15(c.PublicKey.(*rsa.PublicKey), a.hash, sum, signature)
}

// The types and names below are those of RFC 5652 that a kernel module's signature
// needs.

var (
	idData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	idSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	idRSA        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content signedData `asn1:"explicit,tag:0"`
}

type signedData struct {
	Version    int
	Algorithms []pkix.AlgorithmIdentifier `asn1:"set"`
	Content    encapsulated
	Signers    []signerInfo `asn1:"set"`
}

// encapsulated has no content, because the signed module lies before the signature.
type encapsulated struct{ Type asn1.ObjectIdentifier }

type signerInfo struct {
	Version            int
	Signer             issuerAndSerial
	DigestAlgorithm    pkix.AlgorithmIdentifier
	SignatureAlgorithm pkix.AlgorithmIdentifier
	Signature          []byte
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

// cms returns a signature in the form that the kernel's sign-file appends to a
// module: detached, without certificates and attributes, so that it depends on
// nothing but the module and the key.
func cms(c *x509.Certificate, digest string, signature []byte) ([]byte, error) {
	a, _, err := parseNamed(digest)
	if err != nil {
		return nil, err
	}
	hash := pkix.AlgorithmIdentifier{Algorithm: a.id}
	return asn1.Marshal(contentInfo{idSignedData, signedData{
		Version:    1,
		Algorithms: []pkix.AlgorithmIdentifier{hash},
		Content:    encapsulated{idData},
		Signers: []signerInfo{{
			Version:            1,
			Signer:             issuerAndSerial{asn1.RawValue{FullBytes: c.RawIssuer}, c.SerialNumber},
			DigestAlgorithm:    hash,
			SignatureAlgorithm: pkix.AlgorithmIdentifier{Algorithm: idRSA, Parameters: asn1.NullRawValue},
			Signature:          signature,
		}},
	}})
}
