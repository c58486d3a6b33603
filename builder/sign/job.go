package sign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"

	"namibuild/builder/artifact"
	"namibuild/builder/rpm"
)

// job signs one package.
type job struct {
	key     Key
	options Options
	meter   *meter
	want    artifact.RPM // the package in the set

	// pkg is the package, at first as it was read; payload is its payload in the
	// file.
	pkg     *rpm.Package
	payload *io.SectionReader
	// digester is set if payload digests are added.
	digester *rpm.PayloadDigester
	// covered has hashed header and payload, unless the header alone is signed.
	covered hash.Hash
}

// sign writes a signed copy of a package. Nothing is left after an error.
func (j *job) sign(from, to string) (artifact.RPM, error) {
	in, err := os.Open(from)
	if err != nil {
		return artifact.RPM{}, err
	}
	defer in.Close()
	if err := j.read(in); err != nil {
		return artifact.RPM{}, err
	}
	if err := j.addDigests(); err != nil {
		return artifact.RPM{}, err
	}
	if err := j.addSignatures(); err != nil {
		return artifact.RPM{}, err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return artifact.RPM{}, err
	}
	signed, err := j.write(out)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return artifact.RPM{}, errors.Join(err, os.Remove(to))
	}
	signed.File, signed.NEVRA = filepath.Base(to), j.pkg.NEVRA()
	return signed, nil
}

// read verifies the package, and hashes everything that can be hashed in the same
// read.
func (j *job) read(in *os.File) error {
	info, err := in.Stat()
	if err != nil {
		return err
	}
	file := sha256.New()
	r := io.TeeReader(&reader{j.meter.ctx, in}, file)
	if j.pkg, err = rpm.VerifyTo(r, j.open); err != nil {
		return err
	}
	if got := hex.EncodeToString(file.Sum(nil)); j.want.SHA256 != "" && got != j.want.SHA256 {
		return &ChangedError{File: j.want.File, Got: got, Want: j.want.SHA256}
	}
	j.payload = io.NewSectionReader(in, j.pkg.PayloadOffset, info.Size()-j.pkg.PayloadOffset)
	return nil
}

// open selects what hashes the payload while it is verified.
func (j *job) open(p *rpm.Package) (rpm.Taps, error) {
	switch {
	case j.options.PayloadDigests && !p.HasPayloadDigests():
		j.digester = rpm.NewPayloadDigester(p)
		return j.digester.Taps(), nil
	case j.options.HeaderOnly && !p.Header.Has(rpm.TagPayloadDigest):
		return rpm.Taps{}, ErrNotCovered
	case j.options.HeaderOnly:
		return rpm.Taps{}, nil
	}
	j.covered = hashOf(p.Header)
	return rpm.Taps{Payload: j.covered}, nil
}

// addDigests reads the payload again if the package gets payload digests.
func (j *job) addDigests() error {
	if j.digester == nil {
		return nil
	}
	header, err := j.digester.Header()
	if err != nil {
		return err
	}
	to := io.Writer(j.digester)
	if !j.options.HeaderOnly {
		j.covered = hashOf(header)
		to = io.MultiWriter(j.digester, j.covered)
	}
	if _, err := io.Copy(to, &reader{j.meter.ctx, j.payload}); err != nil {
		return err
	}
	j.pkg, err = j.digester.Package()
	return err
}

// addSignatures signs the header, and header and payload.
func (j *job) addSignatures() error {
	covers := []struct {
		tag  rpm.Tag
		hash hash.Hash
	}{{rpm.SigTagRSA, hashOf(j.pkg.Header)}, {rpm.SigTagPGP, j.covered}}
	if j.options.HeaderOnly {
		covers = covers[:1]
	}
	var values []rpm.Value
	for _, c := range covers {
		s, err := j.key.sign(j.meter.ctx, c.hash, j.key.Time(j.options.Epoch))
		if err != nil {
			return err
		}
		values = append(values, rpm.BytesValue(c.tag, s))
	}
	var err error
	j.pkg, err = j.pkg.WithSignatures(values...)
	return err
}

// write writes the package and returns its size and SHA-256.
func (j *job) write(to io.Writer) (artifact.RPM, error) {
	sum := sha256.New()
	w := io.MultiWriter(to, sum, j.meter)
	head, err := j.pkg.WriteTo(w)
	if err != nil {
		return artifact.RPM{}, err
	}
	if _, err := j.payload.Seek(0, io.SeekStart); err != nil {
		return artifact.RPM{}, err
	}
	n, err := io.Copy(w, j.payload)
	return artifact.RPM{Size: head + n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// hashOf returns a SHA-256 that has seen a header.
func hashOf(h *rpm.Header) hash.Hash {
	sum := sha256.New()
	h.WriteTo(sum) // hashes return no error
	return sum
}

// reader fails when the context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(b []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(b)
}
