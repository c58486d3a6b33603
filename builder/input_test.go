package builder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"namibuild"
	"namibuild/builder/event"
	"namibuild/builder/kerneltest"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

// signer returns an OpenPGP key and its public half as text.
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

// TestSignedBy checks that a recipe that names a key accepts only an SRPM that this key has
// signed.
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
		"binary package": {by(key), false, nil, "want a source RPM"},
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
			_, err := Input(context.Background(), o.SourceOptions)
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

// TestInsecureSource checks that a source whose digest or signature does not match the recipe
// is an *UntrustedError. InsecureSource accepts it, and a warning, the plan and the record say
// what was waived. A damaged source is another error, and is not accepted.
func TestInsecureSource(t *testing.T) {
	key, public := signer(t)
	sign := func(data []byte) []byte {
		var b bytes.Buffer
		if err := openpgp.DetachSign(&b, key, bytes.NewReader(data), nil); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	signed := func(wrong func([]byte) []byte) []byte {
		p := kerneltest.SRPMPackage()
		p.Sign = func(data []byte) []byte { return sign(wrong(data)) }
		return rpmtest.Build(p)
	}
	same := func(b []byte) []byte { return b }
	damaged := bytes.Clone(kerneltest.SRPM())
	damaged[len(damaged)-20] ^= 1
	binary := kerneltest.SRPMPackage()
	binary.Source = false
	print, zero := fmt.Sprintf("%X", key.PrimaryKey.Fingerprint), strings.Repeat("0", 64)
	tests := map[string]struct {
		srpm           []byte
		sha256, signer string
		waived         string // a part of what is waived; empty if it cannot be waived
	}{
		"digest":              {kerneltest.SRPM(), zero, "", "sha256 got " + fmt.Sprintf("%x", sha256.Sum256(kerneltest.SRPM())) + ", want " + zero},
		"not signed":          {kerneltest.SRPM(), "", print, "package is not signed"},
		"digest, not signed":  {kerneltest.SRPM(), zero, print, "want " + zero + " (verifying package: package is not signed)"},
		"bad signature":       {signed(func(b []byte) []byte { return append(bytes.Clone(b), 0) }), "", print, "bad signature"},
		"another key":         {signed(same), "", "C1DAC52D1664E8A4386DBA430946FCA2C105B9DE", "signed by another key, " + fmt.Sprintf("%016X", key.PrimaryKey.KeyId)},
		"no such key":         {signed(same), "", strings.Repeat("A", 40), "no key with the fingerprint " + strings.Repeat("A", 40)},
		"damaged":             {damaged, zero, "", ""},
		"damaged, not signed": {damaged, "", print, ""},
		"binary package":      {rpmtest.Build(binary), zero, "", ""},
		"no package":          {[]byte("<html>"), zero, print, ""},
	}
	centos, err := fs.ReadFile(namibuild.Files, "images/centos6/RPM-GPG-KEY-CentOS-6")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, _, events := setup(t)
			o.Images = maps.Clone(kerneltest.Images)
			o.Images.(fstest.MapFS)["images/test/RPM-GPG-KEY-test"] = &fstest.MapFile{Data: public}
			o.Images.(fstest.MapFS)["images/centos6/RPM-GPG-KEY-CentOS-6"] = &fstest.MapFile{Data: centos}
			if err := os.WriteFile(o.Recipe.Source.File, test.srpm, 0o666); err != nil {
				t.Fatal(err)
			}
			o.Recipe.Source.SHA256, o.Recipe.Source.SignedBy = test.sha256, test.signer
			_, err := Build(context.Background(), o)
			untrusted := test.waived != "" || name == "damaged, not signed" // the signature is checked first
			if err == nil || errors.As(err, new(*UntrustedError)) != untrusted || !strings.Contains(err.Error(), test.waived) {
				t.Errorf("not waived: %v", err)
			}
			o.InsecureSource = true
			if test.waived == "" {
				_, err := Input(context.Background(), o.SourceOptions)
				if err == nil || errors.As(err, new(*UntrustedError)) || strings.Contains(err.Error(), "; this cannot be waived: ") != untrusted {
					t.Errorf("waived: %v", err)
				}
				return
			}
			res, err := Build(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			record, err := os.ReadFile(filepath.Join(o.Output, set.RecordFile))
			if err != nil {
				t.Fatal(err)
			}
			var read set.Record
			if err := json.Unmarshal(record, &read); err != nil || !strings.Contains(read.Plan.Insecure, test.waived) || res.Plan.Insecure != read.Plan.Insecure {
				t.Errorf("record %q, plan %q, %v", read.Plan.Insecure, res.Plan.Insecure, err)
			}
			p, _, err := Plan(context.Background(), o.PlanOptions)
			if err != nil || p.ID() != res.PlanID {
				t.Errorf("Plan returns another plan: %v", err)
			}
			if !slices.Contains(*events, event.Event{Kind: event.Warning, Step: event.Source, Text: "the source is taken although " + read.Plan.Insecure}) {
				t.Errorf("no warning among %v", *events)
			}
		})
	}
}

// TestInsecureSourceOfAGoodOne checks that InsecureSource does not change the plan of a source
// that the recipe names.
func TestInsecureSourceOfAGoodOne(t *testing.T) {
	o, _, _ := setup(t)
	want, _, err := Plan(context.Background(), o.PlanOptions)
	if err != nil {
		t.Fatal(err)
	}
	o.InsecureSource = true
	got, _, err := Plan(context.Background(), o.PlanOptions)
	if err != nil || got.Insecure != "" || got.ID() != want.ID() {
		t.Errorf("%q, %v", got.Insecure, err)
	}
}
