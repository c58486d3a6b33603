// Package trust checks that an SRPM is a sound source package, signed by the key that
// a recipe names.
//
// [Verifier] finds the key and returns the check. A recipe may also name the digest of
// its SRPM; package fetch compares that one. [Untrusted] tells an SRPM that is not the
// recipe's from one that is damaged, and [Waive] accepts the first but not the second.
package trust

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"namibuild/builder/fetch"
	"namibuild/builder/pgp"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
)

// UnknownKeyError reports that a recipe names a key that neither namibuild nor the
// recipe brings along.
type UnknownKeyError struct {
	fingerprint string
	searched    []string // key files
}

func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("no key with the fingerprint %s comes with namibuild or the recipe (looked at %s)", e.fingerprint, strings.Join(e.searched, ", "))
}

// Verifier returns the check of a recipe's SRPM. The check reports an error unless a
// file is a source package, all digests in it are right and, if the recipe names a
// key, that key has signed it. The key is in the file that the recipe brings along;
// if it brings none, the key is one of images/*/RPM-GPG-KEY-* in images. If the key is
// missing there, the error is an *UnknownKeyError.
func Verifier(images fs.FS, r recipe.Recipe) (fetch.Verify, error) {
	if r.Source.SignedBy == "" {
		return verifyDigests, nil
	}
	key, err := trustedKey(images, r)
	if err != nil {
		return nil, err
	}
	return func(file io.Reader) error {
		p, _, err := rpm.VerifySigned(file, []pgp.Key{key})
		return requireSource(p, err)
	}, nil
}

// verifyDigests checks a source package by its own digests, whoever signed it.
func verifyDigests(file io.Reader) error { return requireSource(rpm.Verify(file)) }

func requireSource(p *rpm.Package, err error) error {
	if err == nil && !p.IsSource() {
		err = fmt.Errorf("%s is a binary package, want a source RPM", p.NEVRA())
	}
	return err
}

// Untrusted reports whether an SRPM was refused because of what the recipe says of it,
// and not because it is damaged.
func Untrusted(err error) bool {
	if digest := (*fetch.DigestError)(nil); errors.As(err, &digest) {
		return digest.VerifyErr == nil || Untrusted(digest.VerifyErr)
	}
	return errors.Is(err, rpm.ErrNotSigned) || errors.Is(err, pgp.ErrBadSignature) ||
		errors.As(err, new(*rpm.OtherKeyError)) || errors.As(err, new(*UnknownKeyError))
}

// Waive accepts an SRPM that was refused with the error refused, if it is only
// untrusted and its own digests are right. It has the form of fetch.Input.Waive.
func Waive(file io.Reader, refused error) error {
	if !Untrusted(refused) {
		return refused
	}
	if err := verifyDigests(file); err != nil {
		return fmt.Errorf("%w; this cannot be waived: %w", refused, err)
	}
	return nil
}

// trustedKey finds the key that a recipe names. A key file that the recipe brings
// along replaces those of the images.
func trustedKey(images fs.FS, r recipe.Recipe) (pgp.Key, error) {
	src := r.Source
	if src.Key == "" {
		return shippedKey(images, src.SignedBy)
	}
	keys, err := parseKeys(bytes.NewReader(r.Keys), src.Key)
	if err != nil {
		return pgp.Key{}, err
	}
	if key, ok := find(keys, src.SignedBy); ok {
		return key, nil
	}
	return pgp.Key{}, &UnknownKeyError{src.SignedBy, []string{src.Key}}
}

// shippedKey finds the OpenPGP key of a fingerprint among the files of the images.
func shippedKey(images fs.FS, fingerprint string) (pgp.Key, error) {
	names, err := fs.Glob(images, "images/*/RPM-GPG-KEY-*")
	if err != nil {
		return pgp.Key{}, err
	}
	for _, name := range names {
		f, err := images.Open(name)
		if err != nil {
			return pgp.Key{}, err
		}
		keys, err := parseKeys(f, name)
		f.Close()
		if err != nil {
			return pgp.Key{}, err
		}
		if key, ok := find(keys, fingerprint); ok {
			return key, nil
		}
	}
	return pgp.Key{}, &UnknownKeyError{fingerprint, names}
}

func parseKeys(r io.Reader, name string) ([]pgp.Key, error) {
	keys, err := pgp.ParseKeys(r)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return keys, nil
}

func find(keys []pgp.Key, fingerprint string) (pgp.Key, bool) {
	for _, k := range keys {
		if k.Fingerprint == fingerprint {
			return k, true
		}
	}
	return pgp.Key{}, false
}
