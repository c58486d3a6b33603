// Package rpmtest makes small, valid RPMs and SRPMs in memory for tests. Real rpm,
// rpm2cpio and cpio read them.
//
// Build depends on the Package alone, so equal values give equal bytes. It panics if
// the Package makes no sense, because that is a mistake in the test.
package rpmtest

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"namibuild/builder/rpm"
)

// Package describes a package. The zero value of a field leaves the field out, or
// means the default that is named there.
type Package struct {
	Name, Version, Release string
	// Arch is noarch by default. That of an SRPM is the architecture it was built on.
	Arch  string
	Epoch uint32
	// Source makes an SRPM.
	Source bool
	// SourceRPM is name-version-release.src.rpm by default.
	SourceRPM string
	BuildTime int64
	Files     []File
	// Requires are an SRPM's BuildRequires.
	Requires []Require
	// Payload is the compressor: none, gzip (default), xz, lzma or zstd, or any
	// other name when Compress is set, which then does it.
	Payload  string
	Compress func([]byte) []byte
	// Legacy makes the package as EL6 does: with MD5 digests of files, without a
	// SHA-256 of the header, without digests of the payload in the header.
	Legacy bool
	// Long stores sizes in 64 bits and entries of the payload by number, as rpm does
	// if a file is larger than 4 GiB.
	Long bool
	// Sign returns an OpenPGP signature of data. It is called for the header, and for
	// header and payload. The signatures are stored as RSA signatures.
	Sign func(data []byte) []byte
	// Drop leaves values out of the signature header.
	Drop []rpm.Tag
	// Unsorted keeps the order of Files.
	Unsorted bool
	// Entry may change the numbers before a file in the archive: inode, mode, uid,
	// gid, links, mtime, size, device (2), rdev (2), name's length, sum.
	Entry func(f File, n []int)
	// Change may replace the values of the header before it is made.
	Change func([]rpm.Value) []rpm.Value
}

// File is one file. Mode is the st_mode of Unix. 0 means 0100644, or 0120777 with a
// Linkname. Directories need their mode.
type File struct {
	Path     string
	Content  string
	Mode     uint32
	Flags    rpm.FileFlags
	Mtime    int64
	Linkname string
}

// Require is one dependency. Flags are rpm's RPMSENSE bits.
type Require struct {
	Name    string
	Flags   uint32
	Version string
}

// RPMSENSE bits.
const (
	Less    = 1 << 1
	Greater = 1 << 2
	Equal   = 1 << 3
	rpmlib  = 1 << 24
)

// Build makes the package.
func Build(p Package) []byte {
	p = p.defaults()
	archive := p.archive()
	payload := p.compress(archive)
	values := p.values(archive, payload)
	if p.Change != nil {
		values = p.Change(values)
	}
	header := must(rpm.MakeHeader(rpm.RegionImmutable, values...))
	pkg := rpm.Package{
		Lead:      rpm.MakeLead(p.Name+"-"+p.Version+"-"+p.Release, p.Source, 1),
		Signature: p.signature(header, archive, payload),
		Header:    header,
	}
	var out bytes.Buffer
	must(pkg.WriteTo(&out))
	out.Write(payload)
	return out.Bytes()
}

func (p Package) defaults() Package {
	p.Arch, p.Payload = cmp.Or(p.Arch, "noarch"), cmp.Or(p.Payload, "gzip")
	p.SourceRPM = cmp.Or(p.SourceRPM, p.Name+"-"+p.Version+"-"+p.Release+".src.rpm")
	p.Files = slices.Clone(p.Files)
	for i, f := range p.Files {
		p.Files[i].Mode = cmp.Or(f.Mode, 0o100644)
		if f.Linkname != "" {
			p.Files[i].Mode = cmp.Or(f.Mode, 0o120777)
			p.Files[i].Content = f.Linkname
		}
	}
	if p.Unsorted {
		return p
	}
	slices.SortFunc(p.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return p
}

// signature makes the signature header: digests, sizes and reserved space.
func (p Package) signature(header *rpm.Header, archive, payload []byte) *rpm.Header {
	var head bytes.Buffer
	must(header.WriteTo(&head))
	all := append(bytes.Clone(head.Bytes()), payload...)
	s1, s256, m := sha1.Sum(head.Bytes()), sha256.Sum256(head.Bytes()), md5.Sum(all)
	values := []rpm.Value{
		rpm.StringValue(rpm.SigTagSHA1, hex.EncodeToString(s1[:])),
		rpm.StringValue(rpm.SigTagSHA256, hex.EncodeToString(s256[:])),
		rpm.Int32Value(rpm.SigTagSize, uint32(len(all))),
		rpm.BytesValue(rpm.SigTagMD5, m[:]),
		rpm.Int32Value(rpm.SigTagPayloadSize, uint32(len(archive))),
		rpm.BytesValue(rpm.SigTagReservedSpace, make([]byte, 32)),
	}
	drop := slices.Clone(p.Drop)
	if p.Legacy {
		drop = append(drop, rpm.SigTagSHA256, rpm.SigTagReservedSpace)
	}
	if p.Long {
		values = append(values, rpm.Int64Value(rpm.SigTagLongSize, uint64(len(all))),
			rpm.Int64Value(rpm.SigTagLongPayloadSize, uint64(len(archive))))
		drop = append(drop, rpm.SigTagSize, rpm.SigTagPayloadSize)
	}
	if p.Sign != nil {
		values = append(values, rpm.BytesValue(rpm.SigTagRSA, p.Sign(head.Bytes())),
			rpm.BytesValue(rpm.SigTagPGP, p.Sign(all)))
	}
	values = slices.DeleteFunc(values, func(v rpm.Value) bool { return slices.Contains(drop, v.Tag()) })
	return must(rpm.MakeHeader(rpm.RegionSignatures, values...))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("rpmtest: %v", err))
	}
	return v
}
