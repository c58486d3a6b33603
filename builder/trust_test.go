package builder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"namibuild"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// signer makes an OpenPGP key and its armored public half.
func signer(t *testing.T) (*openpgp.Entity, []byte) {
	t.Helper()
	e, err := openpgp.NewEntity("builder test", "", "test@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048})
	if err != nil {
		t.Fatal(err)
	}
	var public bytes.Buffer
	w, err := armor.Encode(&public, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Serialize(w), w.Close()); err != nil {
		t.Fatal(err)
	}
	return e, public.Bytes()
}

// A recipe that names a key takes an SRPM that this key signed, and no other.
func TestSignedBy(t *testing.T) {
	key, public := signer(t)
	stranger, _ := signer(t)
	by := func(e *openpgp.Entity) func([]byte) []byte {
		return func(data []byte) []byte {
			var b bytes.Buffer
			if err := openpgp.DetachSign(&b, e, bytes.NewReader(data), nil); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}
	}
	tests := map[string]struct {
		sign   func([]byte) []byte
		source bool
		want   error
		text   string
	}{
		"signed":         {by(key), true, nil, ""},
		"not signed":     {nil, true, rpm.ErrNotSigned, ""},
		"another key":    {by(stranger), true, nil, fmt.Sprintf("%X", stranger.PrimaryKey.KeyId)},
		"binary package": {by(key), false, nil, "a source RPM was expected"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, _, _ := setup(t)
			p := rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "x86_64", Source: test.source, Sign: test.sign}
			if err := os.WriteFile(o.Recipe.Source.File, rpmtest.Build(p), 0o666); err != nil {
				t.Fatal(err)
			}
			o.Recipe.Source.SHA256, o.Recipe.Source.SignedBy = "", fmt.Sprintf("%X", key.PrimaryKey.Fingerprint)
			o.Images = fstest.MapFS{"images/test/RPM-GPG-KEY-test": {Data: public}}
			_, err := Input(context.Background(), o)
			switch {
			case test.want == nil && test.text == "":
				if err != nil {
					t.Error(err)
				}
			case test.want != nil && !errors.Is(err, test.want), err == nil, !strings.Contains(strings.ToUpper(err.Error()), strings.ToUpper(test.text)):
				t.Errorf("got %v", err)
			}
		})
	}
}

// The key that centos6.5-timewait names is in the binary.
func TestShippedKey(t *testing.T) {
	keys, err := shippedKey(namibuild.Files, "C1DAC52D1664E8A4386DBA430946FCA2C105B9DE")
	if err != nil || len(keys) != 1 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	if _, err := shippedKey(namibuild.Files, strings.Repeat("A", 40)); err == nil {
		t.Error("a key was found that is not there")
	}
}
