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

// FileFlags is the attributes of a file in its package (rpm's rpmfileAttrs).
type FileFlags uint32

// Attributes of files that occur in kernel packages.
const (
	FlagConfig   FileFlags = 1 << 0
	FlagDoc      FileFlags = 1 << 1
	FlagSpecfile FileFlags = 1 << 5
	FlagGhost    FileFlags = 1 << 6
)

// DigestAlgo is the number of a hash of files and payloads (RFC 4880, 9.4).
type DigestAlgo int

// Hashes that rpm uses or used.
const (
	DigestMD5    DigestAlgo = 1
	DigestSHA1   DigestAlgo = 2
	DigestSHA256 DigestAlgo = 8
	DigestSHA384 DigestAlgo = 9
	DigestSHA512 DigestAlgo = 10
	DigestSHA224 DigestAlgo = 11
)

// hashes are the known hashes and their usual names.
var hashes = map[DigestAlgo]struct {
	name string
	make func() hash.Hash
}{
	DigestMD5: {"md5", md5.New}, DigestSHA1: {"sha1", sha1.New}, DigestSHA224: {"sha224", sha256.New224},
	DigestSHA256: {"sha256", sha256.New}, DigestSHA384: {"sha384", sha512.New384}, DigestSHA512: {"sha512", sha512.New},
}

// String returns the hash's name, such as sha256.
func (a DigestAlgo) String() string {
	if h, ok := hashes[a]; ok {
		return h.name
	}
	return fmt.Sprintf("hash %d", int(a))
}

// File is what the header says about one file.
type File struct {
	// Path is absolute. In an SRPM it is a plain name.
	Path string
	Size int64
	// Mode is the st_mode of Unix: type and permissions.
	Mode  uint32
	Flags FileFlags
	// Mtime is in seconds since 1970.
	Mtime int64
	// Digest is lower-case hexadecimal. It is empty unless the file is regular.
	Digest     string
	DigestAlgo DigestAlgo
	// Linkname is the target of a symbolic link.
	Linkname    string
	User, Group string
	// Inode is the same for all hard links of a file, Nlink is their number in the
	// package.
	Inode int64
	Nlink int
	// linked is set if another hard link has the content.
	linked bool
}

// Files returns the package's files in the header's order. It fails if the header's
// lists differ in length.
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

// tieLinks finds the hard links, which are regular files with the same inode and
// device. The last of them has the content.
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

// filePaths joins directories and base names. rpm 3 stored complete paths.
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

// maxPaths is the largest total size of the paths, in bytes. Many files in one
// directory with a long name would take far more memory than the header.
const maxPaths = 64 << 20

// parallel reads the parallel lists of a header and keeps the first error. It reads
// a missing list as zero values.
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

func listOf[T any](l *parallel, tag Tag, exists bool, list []T) []T {
	if !exists {
		return make([]T, l.count)
	}
	if len(list) != l.count && l.err == nil {
		l.err = fmt.Errorf("tag %d has %d values for %d %s", tag, len(list), l.count, l.of)
	}
	return list
}
