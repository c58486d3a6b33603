package builder

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

// UnknownKeyError says that a recipe names a key that does not come with
// namibuild.
type UnknownKeyError struct {
	fingerprint string
	looked      []string
}

func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("no key with the fingerprint %s comes with namibuild or the recipe (looked at %s)", e.fingerprint, strings.Join(e.looked, ", "))
}

// judge checks that a file is a whole SRPM, every digest in it right, and
// signed by the key that the recipe names, if it names one.
func (b *build) judge(src recipe.Source) (fetch.Verify, error) {
	if src.SignedBy == "" {
		return whole, nil
	}
	keys, err := trustedKey(b.Images, b.Recipe)
	switch unknown := (*UnknownKeyError)(nil); {
	case errors.As(err, &unknown) && b.InsecureSource:
		return func(io.Reader) error { return err }, nil
	case errors.As(err, &unknown):
		return nil, &UntrustedError{err}
	case err != nil:
		return nil, err
	}
	return func(r io.Reader) error {
		p, _, err := rpm.VerifySigned(r, keys)
		return isSource(p, err)
	}, nil
}

// whole is the judge of a file that nobody signed.
func whole(r io.Reader) error { return isSource(rpm.Verify(r)) }

func isSource(p *rpm.Package, err error) error {
	if err == nil && !p.IsSource() {
		err = fmt.Errorf("%s is a binary package; a source RPM was expected", p.NEVRA())
	}
	return err
}

// untrusted says that an SRPM was refused for what the recipe says of it, and
// not because it is damaged.
func untrusted(err error) bool {
	if digest := (*fetch.DigestError)(nil); errors.As(err, &digest) {
		return digest.VerifyErr == nil || untrusted(digest.VerifyErr)
	}
	return errors.Is(err, rpm.ErrNotSigned) || errors.Is(err, pgp.ErrBadSignature) ||
		errors.As(err, new(*rpm.OtherKeyError)) || errors.As(err, new(*UnknownKeyError))
}

// waive takes an SRPM that is not trusted, if it is whole by its own digests.
func waive(file io.Reader, wrong error) error {
	if !untrusted(wrong) {
		return wrong
	}
	if err := whole(file); err != nil {
		return fmt.Errorf("%w; not taken all the same: %w", wrong, err)
	}
	return nil
}

// trustedKey finds the key that a recipe names, in the file that it brings
// along or else among those that ship.
func trustedKey(images fs.FS, r recipe.Recipe) ([]pgp.Key, error) {
	src := r.Source
	if src.Key == "" {
		return shippedKey(images, src.SignedBy)
	}
	keys, err := pgp.ParseKeys(bytes.NewReader(r.Keys))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", src.Key, err)
	}
	for _, k := range keys {
		if k.Fingerprint == src.SignedBy {
			return []pgp.Key{k}, nil
		}
	}
	return nil, &UnknownKeyError{src.SignedBy, []string{src.Key}}
}

// shippedKey finds the OpenPGP key of a fingerprint among the image files.
func shippedKey(images fs.FS, fingerprint string) ([]pgp.Key, error) {
	names, err := fs.Glob(images, "images/*/RPM-GPG-KEY-*")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		keys, err := readKeys(images, name)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if k.Fingerprint == fingerprint {
				return []pgp.Key{k}, nil
			}
		}
	}
	return nil, &UnknownKeyError{fingerprint, names}
}

func readKeys(images fs.FS, name string) ([]pgp.Key, error) {
	f, err := images.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	keys, err := pgp.ParseKeys(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return keys, nil
}
