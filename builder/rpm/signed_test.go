package rpm_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	order "encoding/binary"
	"math/big"

	//lint:ignore SA1019 EL5 packages are signed with DSA
	"crypto/dsa"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"namibuild/builder/pgp"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/google/go-cmp/cmp"
)

func signed(fingerprint, created, hash string) rpm.Signed {
	at, err := time.Parse(time.RFC3339, created)
	if err != nil {
		panic(err)
	}
	return rpm.Signed{Fingerprint: fingerprint, Created: at, Hash: hash, Covers: "header and payload"}
}

var (
	keyBorn = time.Date(2014, 1, 1, 0, 0, 0, 0, time.UTC)
	keyDies = keyBorn.Add(1000 * time.Hour)
)

// newKey makes an RSA key that is valid from keyBorn to keyDies.
var newKey = sync.OnceValue(func() *openpgp.Entity {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	lifetime := uint32(keyDies.Sub(keyBorn) / time.Second)
	return certify(packet.NewRSAPrivateKey(keyBorn, key), &lifetime)
})

// certify makes an OpenPGP key with one user name and no subkeys.
func certify(key *packet.PrivateKey, lifetime *uint32) *openpgp.Entity {
	user := packet.NewUserId("test", "", "test@example.org")
	self := &packet.Signature{Version: 4, SigType: packet.SigTypePositiveCert, PubKeyAlgo: key.PubKeyAlgo, Hash: crypto.SHA256,
		CreationTime: keyBorn, IssuerKeyId: &key.KeyId, KeyLifetimeSecs: lifetime}
	if err := self.SignUserId(user.Id, &key.PublicKey, key, config(keyBorn)); err != nil {
		panic(err)
	}
	return &openpgp.Entity{PrimaryKey: &key.PublicKey, PrivateKey: key, Identities: map[string]*openpgp.Identity{
		user.Id: {Name: user.Id, UserId: user, SelfSignature: self, Signatures: []*packet.Signature{self}},
	}}
}

func config(at time.Time) *packet.Config {
	return &packet.Config{DefaultHash: crypto.SHA256, Time: func() time.Time { return at }}
}

// armored returns the public half as a file.
func armored(t testing.TB, e *openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Serialize(w), w.Close()); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// public returns the public half as ParseKeys reads it.
func public(t testing.TB, e *openpgp.Entity) []pgp.Key {
	t.Helper()
	block := string(armored(t, e))
	keys, err := pgp.ParseKeys(strings.NewReader("a preface\n" + block + block))
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 || keys[0].Name != "test <test@example.org>" {
		t.Fatalf("%d keys from two blocks, the first is %s", len(keys), keys[0].Name)
	}
	return keys[:1]
}

// sign makes version 4 signatures.
func sign(key *packet.PrivateKey, hash crypto.Hash, at time.Time) func([]byte) []byte {
	return func(data []byte) []byte {
		s := &packet.Signature{Version: 4, SigType: packet.SigTypeBinary, PubKeyAlgo: key.PubKeyAlgo, Hash: hash,
			CreationTime: at, IssuerKeyId: &key.KeyId, IssuerFingerprint: key.Fingerprint}
		h := hash.New()
		h.Write(data)
		var out bytes.Buffer
		if err := errors.Join(s.Sign(h, key, config(at)), s.Serialize(&out)); err != nil {
			panic(err)
		}
		return out.Bytes()
	}
}

// signV3 makes the signatures of EL6: version 3, RSA, SHA-1.
func signV3(key *packet.PrivateKey, at time.Time) func([]byte) []byte {
	return func(data []byte) []byte {
		hashed := order.BigEndian.AppendUint32([]byte{0}, uint32(at.Unix()))
		sum := sha1.Sum(append(bytes.Clone(data), hashed...))
		number, err := rsa.SignPKCS1v15(nil, key.PrivateKey.(*rsa.PrivateKey), crypto.SHA1, sum[:])
		if err != nil {
			panic(err)
		}
		n := new(big.Int).SetBytes(number)
		body := append([]byte{3, 5}, hashed...)
		body = order.BigEndian.AppendUint64(body, key.KeyId)
		body = append(body, 1, 2, sum[0], sum[1])
		body = order.BigEndian.AppendUint16(body, uint16(n.BitLen()))
		body = append(body, n.Bytes()...)
		return append([]byte{0x89, byte(len(body) >> 8), byte(len(body))}, body...)
	}
}

func TestVerifySigned(t *testing.T) {
	e := newKey()
	keys := public(t, e)
	good := keyBorn.Add(time.Hour)
	build := func(hash crypto.Hash, at time.Time, drop ...rpm.Tag) []byte {
		p := source
		p.Sign, p.Drop = sign(e.PrivateKey, hash, at), drop
		return rpmtest.Build(p)
	}
	legacy := source
	legacy.Legacy, legacy.Sign, legacy.Drop = true, sign(e.PrivateKey, crypto.SHA256, good), []rpm.Tag{rpm.SigTagPGP}
	v3 := source
	v3.Legacy, v3.Sign = true, signV3(e.PrivateKey, good)
	both := build(crypto.SHA256, good)
	foreign := parse(t, build(crypto.SHA256, good)).Signature.Bytes(rpm.SigTagRSA)
	want := rpm.Signed{Fingerprint: keys[0].Fingerprint, Created: good, Hash: "SHA-256", Covers: "header and payload"}
	header, v3sha1, sha512 := want, want, want
	header.Covers, v3sha1.Hash, sha512.Hash = "header", "SHA-1", "SHA-512"
	for _, c := range []struct {
		name string
		data []byte
		want rpm.Signed
		is   error
		says string
	}{
		{"header and payload", both, want, nil, ""},
		{"version 3, sha1", rpmtest.Build(v3), v3sha1, nil, ""},
		{"sha512", build(crypto.SHA512, good), sha512, nil, ""},
		{"payload signature only", build(crypto.SHA256, good, rpm.SigTagRSA), want, nil, ""},
		{"header signature and payload digest", build(crypto.SHA256, good, rpm.SigTagPGP), header, nil, ""},
		{"last second of the key", build(crypto.SHA256, keyDies.Add(-time.Second)), withTime(want, keyDies.Add(-time.Second)), nil, ""},
		{"header signature alone", rpmtest.Build(legacy), rpm.Signed{}, pgp.ErrBadSignature, "only the header is signed, and it holds no digest of the payload"},
		{"key expired", build(crypto.SHA256, keyDies), rpm.Signed{}, pgp.ErrBadSignature, "made 2014-02-11T16:00:00Z, after the key expired on 2014-02-11T16:00:00Z"},
		{"before the key", build(crypto.SHA256, keyBorn.Add(-time.Second)), rpm.Signed{}, pgp.ErrBadSignature, "made 2013-12-31T23:59:59Z, before the key, which is of 2014-01-01T00:00:00Z"},
		{"not signed", rpmtest.Build(source), rpm.Signed{}, rpm.ErrNotSigned, "verifying package: package is not signed"},
		{"of something else", resign(t, both, with(rpm.BytesValue(rpm.SigTagPGP, foreign))), rpm.Signed{}, pgp.ErrBadSignature,
			"verifying package: bad signature over header and payload by key " + keys[0].Fingerprint + ": hash starts with "},
		{"of the wrong payload", flip(both, -1), rpm.Signed{}, nil, "verifying package: header and payload md5 got "},
	} {
		_, got, err := rpm.VerifySigned(bytes.NewReader(c.data), keys)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		switch {
		case c.is != nil && !errors.Is(err, c.is):
			t.Errorf("%s: got %v, want %v", c.name, err, c.is)
		case c.says == "" && err != nil, c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.says)
		}
		inspection, damaged := rpm.Inspect(bytes.NewReader(c.data), keys)
		if (damaged == nil) != (err == nil || c.is != nil) || !errors.Is(inspection.SignatureErr, c.is) || inspection.Signed != c.want {
			t.Errorf("%s: Inspect got %+v, %v", c.name, inspection, damaged)
		}
	}
}

func withTime(s rpm.Signed, at time.Time) rpm.Signed {
	s.Created = at
	return s
}

// A revoked key is refused. One that was merely replaced keeps its earlier
// signatures.
func TestVerifySignedRevoked(t *testing.T) {
	at := keyBorn.Add(time.Hour)
	for _, c := range []struct {
		reason packet.ReasonForRevocation
		when   time.Time
		want   error
	}{
		{packet.KeyCompromised, at.Add(time.Hour), pgp.ErrBadSignature},
		{packet.NoReason, at.Add(time.Hour), pgp.ErrBadSignature},
		{packet.KeySuperseded, at.Add(time.Hour), nil},
		{packet.KeyRetired, at.Add(-time.Minute), pgp.ErrBadSignature},
	} {
		e := certify(newKey().PrivateKey, nil)
		if err := e.RevokeKey(c.reason, "", config(c.when)); err != nil {
			t.Fatal(err)
		}
		p := source
		p.Sign = sign(e.PrivateKey, crypto.SHA256, at)
		if _, _, err := rpm.VerifySigned(bytes.NewReader(rpmtest.Build(p)), public(t, e)); !errors.Is(err, c.want) {
			t.Errorf("reason %d, %s: got %v, want %v", c.reason, c.when, err, c.want)
		}
	}
}

// A DSA signature may use a hash longer than the key's q; the hash is then cut.
func TestVerifySignedDSA(t *testing.T) {
	var key dsa.PrivateKey
	if err := dsa.GenerateParameters(&key.Parameters, rand.Reader, dsa.L1024N160); err != nil {
		t.Fatal(err)
	}
	if err := dsa.GenerateKey(&key, rand.Reader); err != nil {
		t.Fatal(err)
	}
	private := packet.NewDSAPrivateKey(keyBorn, &key)
	e := certify(private, nil)
	keys, at := public(t, e), keyBorn.Add(time.Hour)
	p := source
	p.Sign = sign(private, crypto.SHA256, at)
	_, got, err := rpm.VerifySigned(bytes.NewReader(rpmtest.Build(p)), keys)
	want := rpm.Signed{Fingerprint: keys[0].Fingerprint, Created: at, Hash: "SHA-256", Covers: "header and payload"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	p.Sign = func([]byte) []byte { return sign(private, crypto.SHA256, at)([]byte("something else")) }
	if _, _, err := rpm.VerifySigned(bytes.NewReader(rpmtest.Build(p)), keys); !errors.Is(err, pgp.ErrBadSignature) {
		t.Errorf("got %v, want %v", err, pgp.ErrBadSignature)
	}
}

// Every flipped bit of a signed package is an error, also in the signatures.
func TestVerifySignedFlippedBits(t *testing.T) {
	e := newKey()
	keys, at := public(t, e), keyBorn.Add(time.Hour)
	for name, sign := range map[string]func([]byte) []byte{
		"version 3": signV3(e.PrivateKey, at),
		"version 4": sign(e.PrivateKey, crypto.SHA256, at),
	} {
		p := source
		p.Sign = sign
		data := rpmtest.Build(p)
		for i := 96 * 8; i < len(data)*8; i++ {
			data[i/8] ^= 1 << (i % 8)
			if _, _, err := rpm.VerifySigned(bytes.NewReader(data), keys); err == nil {
				t.Errorf("%s: bit %d of byte %d of %d: no error", name, i%8, i/8, len(data))
			}
			data[i/8] ^= 1 << (i % 8)
		}
	}
}

// Malformed signature packets are errors.
func TestVerifySignedMalformed(t *testing.T) {
	e := newKey()
	keys := public(t, e)
	good := sign(e.PrivateKey, crypto.SHA256, keyBorn.Add(time.Hour))([]byte("x"))
	body := good[3:]
	packetOf := func(body ...byte) []byte {
		return append([]byte{0x88 | 1, byte(len(body) >> 8), byte(len(body))}, body...)
	}
	for name, c := range map[string]struct {
		packet []byte
		says   string
	}{
		"nothing":       {[]byte{0x88, 0}, "signature packet is cut off"},
		"no packet":     {[]byte{0x08, 1, 4}, "no signature packet: starts with "},
		"another":       {[]byte{0x98, 1, 4}, "no signature packet: starts with "},
		"two":           {append(bytes.Clone(good), good...), "signature packet of"},
		"partial":       {[]byte{0xc2, 0xe1, 4, 0}, "no signature packet: starts with "},
		"version":       {packetOf(5, 0), "signature version 5 is not supported"},
		"v3 short":      {packetOf(3, 5, 0), "cut off"},
		"v3 hashed":     {packetOf(append([]byte{3, 6}, make([]byte, 20)...)...), "hashes 6 bytes, want 5"},
		"v3 type":       {packetOf(append([]byte{3, 5, 1}, make([]byte, 20)...)...), "signature type 1, want 0"},
		"v3 hash":       {packetOf(append([]byte{3, 5, 0}, make([]byte, 20)...)...), "signature hash 0 is not supported"},
		"v4 short":      {packetOf(4, 0, 1, 8), "cut off"},
		"v4 hashed":     {packetOf(4, 0, 1, 8, 0xff, 0xff, 0, 0), "cut off"},
		"v4 unhashed":   {packetOf(4, 0, 1, 8, 0, 0, 0xff, 0xff), "cut off"},
		"v4 no time":    {packetOf(4, 0, 1, 8, 0, 0, 0, 0, 0, 0), "signature has no creation time"},
		"v4 critical":   {packetOf(4, 0, 1, 8, 0, 2, 1, 0x80|60, 0, 0, 0, 0), "unknown critical part 60"},
		"v4 empty part": {packetOf(4, 0, 1, 8, 0, 1, 0, 0, 0, 0, 0), "cut off"},
		"number cut":    {packetOf(body[:len(body)-1]...), "cut off"},
		"number length": {packetOf(append(bytes.Clone(body), 0, 9, 0)...), "cut off"},
		"number bits":   {packetOf(append(bytes.Clone(body), 0, 2, 1)...), "number in signature is not of 2 bits"},
	} {
		data := resign(t, rpmtest.Build(source), with(rpm.BytesValue(rpm.SigTagPGP, c.packet)))
		if _, _, err := rpm.VerifySigned(bytes.NewReader(data), keys); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

// The lengths of the new packet format are read. GnuPG 2 does not write them, but
// others do.
func TestVerifySignedNewFormat(t *testing.T) {
	e := newKey()
	keys := public(t, e)
	old := sign(e.PrivateKey, crypto.SHA256, keyBorn.Add(time.Hour))
	for name, reframe := range map[string]func(body []byte) []byte{
		"two bytes": func(b []byte) []byte {
			n := len(b) - 192
			return append([]byte{0xc2, byte(n>>8) + 192, byte(n)}, b...)
		},
		"five bytes": func(b []byte) []byte { return append([]byte{0xc2, 255, 0, 0, byte(len(b) >> 8), byte(len(b))}, b...) },
		"old, four":  func(b []byte) []byte { return append([]byte{0x8a, 0, 0, byte(len(b) >> 8), byte(len(b))}, b...) },
	} {
		p := source
		p.Sign = func(data []byte) []byte {
			var s packet.OpaquePacket
			o, err := packet.NewOpaqueReader(bytes.NewReader(old(data))).Next()
			if err != nil {
				t.Fatal(err)
			}
			s = *o
			return reframe(s.Contents)
		}
		if _, _, err := rpm.VerifySigned(bytes.NewReader(rpmtest.Build(p)), keys); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
