// Package pgp is OpenPGP (RFC 4880) as far as rpm, yum and EL6's kernel use it:
// public keys, signatures, and the packets and armor that hold them.
//
// A Key is the public half of a version 4 primary key, RSA or DSA. ParseKeys
// reads a file of trusted keys such as RPM-GPG-KEY-CentOS-6; ParseSigningKey
// reads one key that signs, and accepts only what every rpm since EL6 verifies;
// ParseSecretKey reads a secret key file. Subkeys are ignored, because rpm of
// EL6 does not know them.
//
// ParseSignature reads a signature packet of version 3 or 4, and Key.Verify
// checks it. Key.VerifyDetached does both for an armored file. A signature is
// judged by the time that it bears: a key that expired later keeps its earlier
// signatures, and so does a key that was merely retired or replaced. SHA-1 is
// accepted in the signatures of packages, because EL6's own have no other, but
// not in detached ones.
//
// A Draft becomes a signature packet when somebody signs its digest. The private
// key stays with the caller, so it may be on a token or in an agent. The same
// draft and the same answer give the same bytes.
//
// Input may be hostile: what is read is bounded, and malformed input is an error.
package pgp

// Tags of packets (RFC 4880, 4.3).
const (
	tagSignature     = 2
	TagSecretKey     = 5
	TagPublicKey     = 6
	tagSecretSubkey  = 7
	TagUserID        = 13
	tagPublicSubkey  = 14
	tagUserAttribute = 17
)

// Algorithms of keys and hashes (RFC 4880, 9.1 and 9.4).
const (
	AlgorithmRSA = 1
	AlgorithmDSA = 17

	HashSHA1   = 2
	HashSHA256 = 8
	hashSHA384 = 9
	hashSHA512 = 10
	hashSHA224 = 11
)

// Types of signatures (RFC 4880, 5.2.1): of a file's bytes, and of a user name
// by its own key.
const (
	TypeBinary        = 0x00
	TypeCertification = 0x13
)

// Subpackets of signatures (RFC 4880, 5.2.3.1) and the bit that marks one as
// critical.
const (
	subCreated     = 2
	subExpires     = 3
	subKeyExpires  = 9
	subIssuer      = 16
	subNotation    = 20
	SubKeyFlags    = 27
	subSigner      = 28
	subFingerprint = 33
	subCritical    = 0x80
)

// Key flags (RFC 4880, 5.2.3.21): the key may certify names, it may sign data.
const (
	flagCertify = 1
	FlagSign    = 2
)
