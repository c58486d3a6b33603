// Package sign signs RPM packages so that every rpm from EL6's 4.8 on accepts
// them, and makes detached OpenPGP signatures of files.
//
// A Key is a public key (pgp.Key) and a Signer, which reaches the private half: a
// key file (OpenFile), gpg-agent (Agent), a PKCS #11 token (OpenToken) or a
// command (Command). A Signer gets a SHA-256 digest and returns a number; packages
// stay here. Generate makes a new key, Certify an OpenPGP key of an RSA key that a
// token or a key service holds.
//
// Packages signs a set of packages into a folder. Signatures are RSA, PKCS #1
// v1.5, version 4, by the primary key, because rpm 4.8 knows nothing else. They
// depend on the package, the key and the epoch alone: signing twice gives the same
// bytes.
package sign

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"namibuild/builder/artifact"
)

// Options say how packages are signed.
type Options struct {
	// Epoch is the time of the set's plan, in seconds. Key.Time turns it into the
	// time that the signatures bear.
	Epoch int64
	// HeaderOnly leaves out the signature over header and payload. rpm of EL6, and
	// later versions in their strict modes, want both.
	HeaderOnly bool
	// PayloadDigests adds the digests that rpm 6 asks for to packages of an rpm
	// before 4.14: of the payload in the header, of the header beside it. The header
	// then has three tags more than the one that was built.
	PayloadDigests bool
	// Tell, if set, gets the number of bytes that were written, and of those that
	// the set has.
	Tell func(done, total int64)
}

// ErrNotCovered reports that a header holds no digest of the payload, so that
// HeaderOnly would leave the payload without a signature.
var ErrNotCovered = errors.New("the header holds no digest of the payload, so a signature of the header alone would not cover it")

// ChangedError reports that a package is not the one that the set names: its SHA-256
// is another.
type ChangedError struct{ File, Got, Want string }

func (e *ChangedError) Error() string { return fmt.Sprintf("sha256 got %s, want %s", e.Got, e.Want) }

// Packages signs every package of a set into dir, an empty folder. Earlier
// signatures are replaced. The result is the signed set, with the size and digest
// of every file. After an error the files that were written are removed again; it
// is for the caller to make dir appear only when all of it is complete.
//
// Each package is verified. If the set has its SHA-256 and the file has another, the
// error is a *ChangedError. A package is read twice: once to verify it and to hash
// what is signed, once to copy its payload. With PayloadDigests a package that lacks
// them is read a third time, since the signed hash then begins with a header that
// contains a digest of the payload.
func Packages(ctx context.Context, set artifact.Set, key Key, dir string, o Options) (artifact.Set, error) {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty", dir)
	}
	if err != nil {
		return artifact.Set{}, fmt.Errorf("signing: %w", err)
	}
	signed := artifact.Set{Dir: dir}
	m := &meter{ctx: ctx, tell: o.Tell}
	for _, r := range set.RPMs {
		m.total += r.Size
	}
	for _, r := range set.RPMs {
		j := job{key: key, options: o, meter: m, want: r}
		one, err := j.sign(filepath.Join(set.Dir, r.File), filepath.Join(dir, r.File))
		if err != nil {
			return artifact.Set{}, errors.Join(fmt.Errorf("signing: %s: %w", r.File, err), remove(signed))
		}
		signed.RPMs = append(signed.RPMs, one)
	}
	return signed, nil
}

// remove removes the packages of a set that was not completed.
func remove(set artifact.Set) error {
	var errs []error
	for _, r := range set.RPMs {
		errs = append(errs, os.Remove(filepath.Join(set.Dir, r.File)))
	}
	return errors.Join(errs...)
}

// meter counts the bytes that are written. Its Write fails when the context ends.
type meter struct {
	ctx         context.Context
	tell        func(done, total int64)
	done, total int64
}

func (m *meter) Write(b []byte) (int, error) {
	if m.ctx.Err() != nil {
		return 0, context.Cause(m.ctx)
	}
	m.done += int64(len(b))
	if m.tell != nil {
		m.tell(m.done, m.total)
	}
	return len(b), nil
}
