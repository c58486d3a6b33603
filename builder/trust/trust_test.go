package trust

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"namibuild"
	"namibuild/builder/fetch"
	"namibuild/builder/kerneltest"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// TestShippedKey checks that the keys of CentOS, which shipped recipes name, are in the
// program.
func TestShippedKey(t *testing.T) {
	if key, err := shippedKey(namibuild.Files, centos6Key); err != nil || key.Fingerprint != centos6Key {
		t.Errorf("key %s, %v", key.Fingerprint, err)
	}
	if _, err := shippedKey(namibuild.Files, centos7Key); err != nil {
		t.Error(err)
	}
	if _, err := shippedKey(namibuild.Files, strings.Repeat("A", 40)); err == nil {
		t.Error("found a key that does not exist")
	}
}

const (
	centos6Key = "C1DAC52D1664E8A4386DBA430946FCA2C105B9DE"
	centos7Key = "6341AB2753D78A78A7C27BB124C6A8A7F4A80EB5"
)

// TestRecipesKey checks that the key file of a recipe replaces those of the images.
func TestRecipesKey(t *testing.T) {
	page, err := namibuild.Files.ReadFile("images/centos7/RPM-GPG-KEY-CentOS-7")
	if err != nil {
		t.Fatal(err)
	}
	r := recipe.Recipe{Source: recipe.Source{SignedBy: centos7Key, Key: "KEY"}, Keys: page}
	if key, err := trustedKey(fstest.MapFS{}, r); err != nil || key.Fingerprint != centos7Key {
		t.Errorf("key %s, %v", key.Fingerprint, err)
	}
	r.Source.SignedBy = centos6Key
	const want = "no key with the fingerprint C1DAC52D1664E8A4386DBA430946FCA2C105B9DE comes with namibuild or the recipe (looked at KEY)"
	if _, err := trustedKey(namibuild.Files, r); err == nil || err.Error() != want {
		t.Errorf("a shipped key, although the recipe has its own: %v", err)
	}
	r.Keys = []byte("no key")
	if _, err := trustedKey(namibuild.Files, r); err == nil || errors.As(err, new(*UnknownKeyError)) || !strings.HasPrefix(err.Error(), "reading KEY: ") {
		t.Errorf("a file that is not a key: %v", err)
	}
}

// TestWaive checks that only a sound SRPM is accepted, and only if it was refused for
// what the recipe says of it.
func TestWaive(t *testing.T) {
	sound := kerneltest.SRPM()
	damaged := bytes.Clone(sound)
	damaged[len(damaged)-20] ^= 1
	binary := kerneltest.SRPMPackage()
	binary.Source = false
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		file    []byte
		refused error
		waived  bool
	}{
		"digest":                  {sound, &fetch.DigestError{}, true},
		"not signed":              {sound, rpm.ErrNotSigned, true},
		"digest and not signed":   {sound, &fetch.DigestError{VerifyErr: rpm.ErrNotSigned}, true},
		"unknown key":             {sound, &UnknownKeyError{}, true},
		"another error":           {sound, broken, false},
		"digest and another":      {sound, &fetch.DigestError{VerifyErr: broken}, false},
		"not signed, but damaged": {damaged, rpm.ErrNotSigned, false},
		"digest, of a binary":     {rpmtest.Build(binary), &fetch.DigestError{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Waive(bytes.NewReader(test.file), test.refused); (err == nil) != test.waived || err != nil && !errors.Is(err, test.refused) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestVerifierWithoutKey checks that an SRPM of which the recipe names no key must still
// be sound.
func TestVerifierWithoutKey(t *testing.T) {
	verify, err := Verifier(fstest.MapFS{}, recipe.Recipe{})
	if err != nil {
		t.Fatal(err)
	}
	sound := kerneltest.SRPM()
	if err := verify(bytes.NewReader(sound)); err != nil {
		t.Error(err)
	}
	if err := verify(bytes.NewReader(sound[:len(sound)-1])); err == nil {
		t.Error("a part of an SRPM is accepted")
	}
	if _, err := Verifier(fstest.MapFS{}, recipe.Recipe{Source: recipe.Source{SignedBy: centos6Key}}); !errors.As(err, new(*UnknownKeyError)) {
		t.Errorf("an unknown key: %v", err)
	}
}
