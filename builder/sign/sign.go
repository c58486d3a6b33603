// Package sign makes OpenPGP signatures: of packages, as every rpm from EL6's
// 4.8 on takes them, and detached ones of files.
//
// A Key is a Certificate (the public half) and a Signer that holds the private
// one: a key file, gpg-agent, a PKCS #11 token, a command. A Signer is given a
// SHA-256 digest and answers with a number; no package travels. Signatures are
// RSA, PKCS #1 v1.5, version 4, by the primary key, because rpm 4.8 knows
// nothing else. They depend on the package, the key and a fixed time alone:
// signing twice gives equal bytes.
package sign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/rpm"
)

// Options say how packages are signed.
type Options struct {
	// Epoch is the time of the set's plan, in seconds; Key.Time makes of it the
	// time that the signatures bear.
	Epoch int64
	// HeaderOnly leaves out the signature over header and payload. rpm of EL6,
	// and later ones in their strict modes, want both.
	HeaderOnly bool
	// PayloadDigests adds the digests that rpm 6 asks for to packages of an rpm
	// before 4.14: of the payload in the header, of the header beside it. The
	// header then has these tags more than the one that was built.
	PayloadDigests bool
	// Tell, if set, is told of the bytes that are signed.
	Tell func(done, total int64)
}

// ErrNotCovered: a signature of the header alone says nothing of the payload.
var ErrNotCovered = errors.New("the header holds no digest of the payload, so a signature of the header alone would not cover it")

// Packages signs every package of a set into dir, which must not exist. Former
// signatures are replaced. The folder appears when all of it is complete; on an
// error there is none. The set's digests are looked at while it is read.
func Packages(ctx context.Context, set artifact.Set, key Key, dir string, o Options) (artifact.Set, error) {
	if _, err := os.Lstat(dir); err == nil {
		return artifact.Set{}, fmt.Errorf("signing: %s is there already", dir)
	}
	part := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".part")
	if err := errors.Join(os.RemoveAll(part), os.Mkdir(part, 0o777)); err != nil {
		return artifact.Set{}, fmt.Errorf("signing: %w", err)
	}
	signed, err := packages(ctx, set, key, part, o)
	if err == nil {
		err = os.Rename(part, dir)
	}
	if err != nil {
		return artifact.Set{}, errors.Join(fmt.Errorf("signing: %w", err), os.RemoveAll(part))
	}
	signed.Dir = dir
	return signed, nil
}

func packages(ctx context.Context, set artifact.Set, key Key, dir string, o Options) (artifact.Set, error) {
	m := &meter{ctx: ctx, tell: o.Tell}
	for _, r := range set.RPMs {
		m.total += r.Size
	}
	var signed artifact.Set
	for _, r := range set.RPMs {
		one, err := signFile(ctx, filepath.Join(set.Dir, r.File), key, filepath.Join(dir, r.File), o, m)
		if err != nil {
			return signed, fmt.Errorf("%s: %w", r.File, err)
		}
		signed.RPMs = append(signed.RPMs, one)
	}
	return signed, nil
}

// signFile writes a signed copy of one package.
func signFile(ctx context.Context, from string, key Key, to string, o Options, m *meter) (artifact.RPM, error) {
	in, err := os.Open(from)
	if err != nil {
		return artifact.RPM{}, err
	}
	defer in.Close()
	pkg, payload, err := prepare(in, o)
	if err != nil {
		return artifact.RPM{}, err
	}
	if pkg, err = signPackage(ctx, pkg, payload, key, o); err != nil {
		return artifact.RPM{}, err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return artifact.RPM{}, err
	}
	signed := artifact.RPM{File: filepath.Base(to), NEVRA: pkg.NEVRA()}
	signed.Size, signed.SHA256, err = write(out, pkg, payload, m)
	return signed, errors.Join(err, out.Sync(), out.Close())
}

// prepare verifies a package, adds digests to it where that is asked for, and
// gives its payload.
func prepare(in *os.File, o Options) (*rpm.Package, *io.SectionReader, error) {
	info, err := in.Stat()
	if err != nil {
		return nil, nil, err
	}
	pkg, err := rpm.Verify(in)
	if err != nil {
		return nil, nil, err
	}
	payload := io.NewSectionReader(in, pkg.PayloadOffset, info.Size()-pkg.PayloadOffset)
	if o.PayloadDigests {
		if pkg, err = pkg.WithPayloadDigests(payload); err != nil {
			return nil, nil, err
		}
	}
	if o.HeaderOnly && !pkg.Header.Has(rpm.TagPayloadDigest) {
		return nil, nil, ErrNotCovered
	}
	return pkg, payload, nil
}

// signPackage makes the signatures of a package.
func signPackage(ctx context.Context, pkg *rpm.Package, payload *io.SectionReader, key Key, o Options) (*rpm.Package, error) {
	header, whole := sha256.New(), sha256.New()
	if _, err := pkg.Header.WriteTo(io.MultiWriter(header, whole)); err != nil {
		return nil, err
	}
	covers := []struct {
		tag  rpm.Tag
		hash hash.Hash
	}{{rpm.SigTagRSA, header}, {rpm.SigTagPGP, whole}}
	if o.HeaderOnly {
		covers = covers[:1]
	} else if err := rewound(payload, whole); err != nil {
		return nil, err
	}
	var values []rpm.Value
	for _, c := range covers {
		s, err := key.sign(ctx, c.hash, key.Time(o.Epoch))
		if err != nil {
			return nil, err
		}
		values = append(values, rpm.BytesValue(c.tag, s))
	}
	return pkg.WithSignatures(values...)
}

// write writes a package and gives its size and SHA-256.
func write(to io.Writer, pkg *rpm.Package, payload *io.SectionReader, m *meter) (int64, string, error) {
	sum := sha256.New()
	w := io.MultiWriter(to, sum, m)
	head, err := pkg.WriteTo(w)
	if err == nil {
		err = rewound(payload, w)
	}
	return head + payload.Size(), hex.EncodeToString(sum.Sum(nil)), err
}

// rewound copies the payload from its beginning.
func rewound(payload *io.SectionReader, to io.Writer) error {
	if _, err := payload.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(to, payload)
	return err
}

// meter counts what is written, and ends it when the context ends.
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

// Time is the time that a signature bears for a set of the given epoch, in
// seconds: the epoch, or when the key and the statement about itself came to
// be, if that was later. Nothing accepts a signature that is older than its key.
func (k Key) Time(epoch int64) time.Time {
	at := time.Unix(epoch, 0).UTC()
	for _, t := range []time.Time{k.created, k.selfSigned} {
		if t.After(at) {
			at = t
		}
	}
	return at
}
