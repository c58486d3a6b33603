package pgp_test

import (
	"bytes"
	"os"
	"testing"

	"namibuild/builder/pgp"
)

// FuzzParseKeys checks that input is read or refused, and that a key has a
// fingerprint.
func FuzzParseKeys(f *testing.F) {
	for _, release := range []string{"3", "5", "6"} {
		f.Add(centosKey(f, release))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := pgp.ParseKeys(bytes.NewReader(data))
		if (err == nil) != (len(keys) > 0) {
			t.Errorf("%d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if len(k.Fingerprint) != 40 {
				t.Errorf("fingerprint %q", k.Fingerprint)
			}
		}
	})
}

// stored returns a public key as gpg exports it, with a subkey and an end.
func stored(f testing.TB) []byte {
	f.Helper()
	data, err := os.ReadFile("testdata/certificate.asc")
	if err != nil {
		f.Fatal(err)
	}
	return data
}

// FuzzParseSigningKey checks that a key file is an error or holds a key that can
// be written and read again.
func FuzzParseSigningKey(f *testing.F) {
	f.Add(stored(f))
	f.Add([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n=twTO\n-----END PGP PUBLIC KEY BLOCK-----\n"))
	f.Add([]byte{0x99, 0, 1, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := pgp.ParseSigningKey(data)
		if err != nil {
			return
		}
		public, err := k.Public()
		if err != nil {
			t.Fatal(err)
		}
		again, err := pgp.ParseSigningKey(public)
		if err != nil || again.Fingerprint != k.Fingerprint {
			t.Errorf("%s, written and read again, is %s, %v", k.Fingerprint, again.Fingerprint, err)
		}
	})
}

// FuzzParseSignature checks that a signature that nobody made does not verify.
func FuzzParseSignature(f *testing.F) {
	k, err := pgp.ParseSigningKey(stored(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pgp.PacketV3(pgp.AlgorithmRSA, pgp.HashSHA1, k.Created(), k.ID(), []byte{1, 2}, k.RSA().N))
	f.Add([]byte{0x88, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := pgp.ParseSignature(data)
		if err == nil && k.Verify(s, s.Hash.New()) == nil {
			t.Error("a signature that nobody made verifies")
		}
	})
}
