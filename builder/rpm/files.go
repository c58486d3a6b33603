package rpm

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
)

// FileFlags are the marks of a file in its package (rpm's rpmfileAttrs).
type FileFlags uint32

// The marks that occur in kernel packages.
const (
	FlagConfig   FileFlags = 1 << 0
	FlagDoc      FileFlags = 1 << 1
	FlagSpecfile FileFlags = 1 << 5
	FlagGhost    FileFlags = 1 << 6
)

// DigestAlgo numbers the hash of file and payload digests (RFC 4880, 9.4).
type DigestAlgo int

// The hashes that rpm has used.
const (
	DigestMD5    DigestAlgo = 1
	DigestSHA1   DigestAlgo = 2
	DigestSHA256 DigestAlgo = 8
	DigestSHA384 DigestAlgo = 9
	DigestSHA512 DigestAlgo = 10
	DigestSHA224 DigestAlgo = 11
)

// hashes are the kinds by their names, as they are usually written.
var hashes = map[DigestAlgo]struct {
	name string
	make func() hash.Hash
}{
	DigestMD5: {"md5", md5.New}, DigestSHA1: {"sha1", sha1.New}, DigestSHA224: {"sha224", sha256.New224},
	DigestSHA256: {"sha256", sha256.New}, DigestSHA384: {"sha384", sha512.New384}, DigestSHA512: {"sha512", sha512.New},
}

// String is the hash's name: sha256.
func (a DigestAlgo) String() string {
	if h, ok := hashes[a]; ok {
		return h.name
	}
	return fmt.Sprintf("hash %d", int(a))
}

// File is what the header says of one file.
type File struct {
	// Path is absolute; in an SRPM a plain name.
	Path string
	Size int64
	// Mode is the st_mode of Unix, type and permissions.
	Mode  uint32
	Flags FileFlags
	// Mtime is in seconds since 1970.
	Mtime int64
	// Digest is lower-case hexadecimal, empty for what is no regular file.
	Digest     string
	DigestAlgo DigestAlgo
	// Linkname is the target of a symbolic link.
	Linkname    string
	User, Group string
	// Inode ties hard links together; Nlink counts the package's names of it.
	Inode int64
	Nlink int
	// linked: the content stands with another of the file's names.
	linked bool
}

// Files are the package's files in the header's order. It fails when the
// header's lists do not agree.
func (p *Package) Files() ([]File, error) {
	files, err := p.files()
	if err != nil {
		return nil, fmt.Errorf("reading file list: %w", err)
	}
	return files, nil
}

func (p *Package) files() ([]File, error) {
	h := p.Header
	paths, err := filePaths(h)
	if err != nil || len(paths) == 0 {
		return nil, err
	}
	l := parallel{count: len(paths), of: "files"}
	sizes := l.ints(h, TagLongFileSizes)
	if !h.Has(TagLongFileSizes) {
		sizes = l.ints(h, TagFileSizes)
	}
	modes, flags, mtimes := l.ints(h, TagFileModes), l.ints(h, TagFileFlags), l.ints(h, TagFileMtimes)
	digests, links := l.texts(h, TagFileDigests), l.texts(h, TagFileLinktos)
	users, groups := l.texts(h, TagFileUsername), l.texts(h, TagFileGroupname)
	inodes, devices := l.ints(h, TagFileInodes), l.ints(h, TagFileDevices)
	if l.err != nil {
		return nil, l.err
	}
	algo := DigestMD5
	if n, ok := h.Int(TagFileDigestAlgo); ok {
		algo = DigestAlgo(n)
	}
	files := make([]File, len(paths))
	for i := range files {
		if sizes[i] < 0 {
			return nil, fmt.Errorf("%s: size %d", paths[i], uint64(sizes[i]))
		}
		files[i] = File{Path: paths[i], Size: sizes[i], Mode: uint32(modes[i]), Flags: FileFlags(flags[i]), Mtime: mtimes[i],
			Digest: digests[i], DigestAlgo: algo, Linkname: links[i], User: users[i], Group: groups[i], Inode: inodes[i], Nlink: 1}
	}
	if h.Has(TagFileInodes) {
		tieLinks(files, devices)
	}
	return files, nil
}

// tieLinks finds the hard links: regular files of one inode and device. The
// content belongs to the last.
func tieLinks(files []File, devices []int64) {
	type inode struct{ device, number int64 }
	names := make(map[inode][]int)
	for i, f := range files {
		if f.Mode&modeType == modeRegular && f.Flags&FlagGhost == 0 {
			key := inode{devices[i], f.Inode}
			names[key] = append(names[key], i)
		}
	}
	for _, group := range names {
		for _, i := range group {
			files[i].Nlink = len(group)
			files[i].linked = i != group[len(group)-1]
		}
	}
}

// filePaths joins directories and base names; rpm 3 stored whole paths.
func filePaths(h *Header) ([]string, error) {
	if !h.Has(TagBasenames) {
		return h.Strings(TagOldFilenames), nil
	}
	names, dirs, indexes := h.Strings(TagBasenames), h.Strings(TagDirnames), h.Ints(TagDirIndexes)
	if len(indexes) != len(names) {
		return nil, fmt.Errorf("%d names, %d directory indexes", len(names), len(indexes))
	}
	var total int64
	for i, name := range names {
		if indexes[i] < 0 || indexes[i] >= int64(len(dirs)) {
			return nil, fmt.Errorf("%s: directory %d of %d", name, indexes[i], len(dirs))
		}
		if total += int64(len(dirs[indexes[i]]) + len(name)); total > maxPaths {
			return nil, errors.New("paths take more than 64 MiB")
		}
		names[i] = dirs[indexes[i]] + name
	}
	return names, nil
}

// maxPaths bounds what a header can blow up to: many files in one directory
// with a long name.
const maxPaths = 64 << 20

// parallel reads the parallel lists of a header and keeps the first error. A
// missing list counts as one of zero values.
type parallel struct {
	count int
	of    string // what is counted
	err   error
}

func (l *parallel) ints(h *Header, tag Tag) []int64 {
	return listOf(l, tag, h.Has(tag), h.Ints(tag))
}

func (l *parallel) texts(h *Header, tag Tag) []string {
	return listOf(l, tag, h.Has(tag), h.Strings(tag))
}

func listOf[T any](l *parallel, tag Tag, there bool, list []T) []T {
	if !there {
		return make([]T, l.count)
	}
	if len(list) != l.count && l.err == nil {
		l.err = fmt.Errorf("tag %d has %d values for %d %s", tag, len(list), l.count, l.of)
	}
	return list
}
