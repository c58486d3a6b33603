package rpm

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"namibuild/builder/pgp"
)

// Inspection is what Inspect found.
type Inspection struct {
	// Package was verified: all its digests are right.
	Package *Package
	// Signed says who signed it. SignatureErr is set instead if nobody did, or not
	// properly: it is ErrNotSigned, an *OtherKeyError or pgp.ErrBadSignature.
	Signed       Signed
	SignatureErr error
	// File is the file as it is. Built is the file that rpmbuild made: without
	// signatures, and without the digests that WithPayloadDigests adds, which an rpm
	// of the package's version did not write.
	File, Built Sum
}

// Sum is the size of a file in bytes and its SHA-256 in lower-case hexadecimal.
type Sum struct {
	Size   int64
	SHA256 string
}

// Inspect verifies a package and its signatures, and hashes the file both as it is
// and as it was built, all in one read of r from its start to its end. Only where
// digests were added to the package, its payload is read again, because the
// header of the built file holds a digest of itself and the payload. An error
// means that the package is damaged; a bad signature is no error.
func Inspect(r io.ReadSeeker, keys []pgp.Key) (Inspection, error) {
	i := &inspector{keys: keys, md5: md5.New()}
	file := newSummer()
	var err error
	i.Package, err = VerifyTo(io.TeeReader(r, file), i.open)
	if err != nil {
		return Inspection{}, err
	}
	i.File = file.sum()
	if i.SignatureErr == nil {
		i.Signed, i.SignatureErr = checkSignatures(i.signatures)
	}
	if i.Built, err = i.sumBuilt(r); err != nil {
		return Inspection{}, fmt.Errorf("hashing the package as it was built: %w", err)
	}
	return i.Inspection, nil
}

// inspector is one run of Inspect.
type inspector struct {
	Inspection
	keys       []pgp.Key
	signatures []signature
	// built gets the file as it was built. It is nil if the payload must be read
	// again for that, because digests were added: md5 is then the new digest of
	// header and payload.
	built  *summer
	header *Header
	md5    hash.Hash
}

// open starts the hashes that see the payload.
func (i *inspector) open(p *Package) (Taps, error) {
	i.signatures, i.SignatureErr = p.signatures(i.keys)
	list := []io.Writer{payloadHashes(i.signatures)}
	header, err := p.builtHeader()
	switch {
	case err != nil:
		return Taps{}, err
	case header != p.Header:
		i.header = header
		list = append(list, hashed(i.md5, header))
	default:
		built, err := p.WithSignatures()
		if err != nil {
			return Taps{}, err
		}
		i.built = newSummer()
		built.WriteTo(i.built) // hashes return no error
		list = append(list, i.built)
	}
	return Taps{Payload: io.MultiWriter(list...)}, nil
}

func (i *inspector) sumBuilt(r io.ReadSeeker) (Sum, error) {
	if i.built != nil {
		return i.built.sum(), nil
	}
	built, err := i.Package.withHeader(i.header, i.md5.Sum(nil), i.File.Size-i.Package.PayloadOffset)
	if err == nil {
		built, err = built.withSignatureValues([]Tag{SigTagSHA256}, nil)
	}
	if err != nil {
		return Sum{}, err
	}
	// r stands at its end
	if _, err := r.Seek(i.Package.PayloadOffset-i.File.Size, io.SeekCurrent); err != nil {
		return Sum{}, err
	}
	s := newSummer()
	_, err = built.WriteTo(s)
	n, cerr := io.Copy(s, r)
	if cerr == nil && n != i.File.Size-i.Package.PayloadOffset {
		cerr = fmt.Errorf("payload of %d bytes, it had %d before", n, i.File.Size-i.Package.PayloadOffset)
	}
	return s.sum(), errors.Join(err, cerr)
}

// summer computes a Sum.
type summer struct {
	hash.Hash
	size int64
}

func newSummer() *summer { return &summer{Hash: sha256.New()} }

func (s *summer) Write(b []byte) (int, error) {
	s.size += int64(len(b))
	return s.Hash.Write(b)
}

func (s *summer) sum() Sum { return Sum{s.size, hex.EncodeToString(s.Sum(nil))} }
