package source

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
)

// srpm is an open SRPM. Its payload can be read any number of times.
type srpm struct {
	file  io.ReadSeeker
	pkg   *rpm.Package
	files map[string]rpm.File
	names []string // the header's order
	spec  string
	total int64 // bytes in the payload's files
	// left are the files that the package names but leaves out (NoSource). tarball
	// is the one of them that the recipe has, if any.
	left    map[string]bool
	tarball recipe.Tarball
	content io.ReadSeeker // of tarball
}

// Files are the files that a topdir is made of.
type Files struct {
	// Name is the name of the SRPM in errors.
	Name string
	// SRPM is the SRPM, and Tarball the content of the recipe's tarball, or nil. They
	// are read more than once, from any offset, and are not closed.
	SRPM, Tarball io.ReadSeeker
}

// errStop ends a pass over the payload without an error.
var errStop = errors.New("stop")

func openSRPM(in Files, tarball recipe.Tarball) (*srpm, error) {
	s := &srpm{file: in.SRPM, files: map[string]rpm.File{}, left: map[string]bool{}, tarball: tarball, content: in.Tarball}
	return s, s.readHeader()
}

func (s *srpm) readHeader() error {
	_, err := s.file.Seek(0, io.SeekStart)
	if err != nil {
		return err
	}
	if s.pkg, err = rpm.ReadPackage(s.file); err != nil {
		return err
	}
	if !s.pkg.IsSource() {
		return fmt.Errorf("want an SRPM, found the binary package %s", s.pkg.NEVRA())
	}
	files, err := s.pkg.Files()
	if err != nil {
		return err
	}
	var specs []string
	for _, f := range files {
		if err := checkFile(f.Path, f.Mode); err != nil {
			return err
		}
		if _, twice := s.files[f.Path]; twice || s.left[f.Path] {
			return fmt.Errorf("file %q is listed twice", f.Path)
		}
		if f.Flags&rpm.FlagGhost != 0 { // rpm's mark of NoSource in an SRPM
			s.left[f.Path] = true
			continue
		}
		if f.Flags&rpm.FlagSpecfile != 0 {
			specs = append(specs, f.Path)
		}
		s.files[f.Path] = f
		s.names = append(s.names, f.Path)
		if s.total += f.Size; f.Size > maxPayload || s.total > maxPayload {
			return fmt.Errorf("files of more than %d bytes", int64(maxPayload))
		}
	}
	if len(specs) != 1 {
		return fmt.Errorf("want one spec, found %d %s", len(specs), strings.Join(specs, " "))
	}
	s.spec = specs[0]
	return s.addTarball()
}

// addTarball adds the recipe's tarball to the files of the package.
func (s *srpm) addTarball() error {
	name := s.tarball.Name()
	if name == "" {
		return nil
	}
	if _, exists := s.files[name]; exists {
		return fmt.Errorf("the SRPM has %s itself: the recipe must not have a tarball", name)
	}
	if s.content == nil {
		return fmt.Errorf("the content of %s is missing", name)
	}
	size, err := s.content.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	s.files[name] = rpm.File{Path: name, Size: size, Mode: 0o100644, Mtime: s.pkg.BuildTime()}
	s.total += size
	return nil
}

// readTarball calls do for the recipe's tarball, after the payload.
func (s *srpm) readTarball(ctx context.Context, m *meter, do func(rpm.File, io.Reader) error) error {
	if s.tarball.Name() == "" {
		return nil
	}
	if _, err := s.content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	err := s.readFile(ctx, s.files[s.tarball.Name()], m.count(s.content), do)
	if err == errStop {
		return nil
	}
	return err
}

// available returns the names of the files of the payload, and of the recipe's
// tarball.
func (s *srpm) available() []string {
	if name := s.tarball.Name(); name != "" {
		return append(slices.Clone(s.names), name)
	}
	return s.names
}

// checkFile returns an error unless a file is a regular one with a plain name. An
// SRPM has no others, and the names become paths in the topdir.
func checkFile(name string, mode uint32) error {
	const typeMask, typeRegular = 0o170000, 0o100000
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("file name %q is not a plain name", name)
	}
	if mode&typeMask != typeRegular {
		return fmt.Errorf("file %q is not a regular file (mode %o)", name, mode)
	}
	return nil
}

// each calls do for every file of the payload, in its order, and checks name, size
// and digest against the header. What do does not read of a file is read
// afterwards. If do returns errStop, each returns nil at once.
func (s *srpm) each(ctx context.Context, m *meter, do func(rpm.File, io.Reader) error) error {
	if _, err := s.file.Seek(s.pkg.PayloadOffset, io.SeekStart); err != nil {
		return err
	}
	payload, err := s.pkg.Payload(s.file)
	if err != nil {
		return err
	}
	defer payload.Close()
	seen := map[string]bool{}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		entry, err := payload.Next()
		if err == io.EOF {
			return cmp.Or(s.missing(seen), s.readTarball(ctx, m, do))
		}
		if err != nil {
			return fmt.Errorf("reading payload: %w", err)
		}
		f, err := s.match(entry, seen)
		if err != nil {
			return err
		}
		err = s.readFile(ctx, f, m.count(payload), do)
		if err == errStop {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// match returns the file of the header for an entry of the payload.
func (s *srpm) match(e *rpm.Entry, seen map[string]bool) (rpm.File, error) {
	name := strings.TrimPrefix(e.Name, "./")
	if err := checkFile(name, e.Mode); err != nil {
		return rpm.File{}, fmt.Errorf("reading payload: %w", err)
	}
	f, ok := s.files[name]
	switch {
	case !ok || name == s.tarball.Name():
		return f, fmt.Errorf("reading payload: file %q is not in the header", name)
	case seen[name]:
		return f, fmt.Errorf("reading payload: file %q is in it twice", name)
	case e.Size != f.Size:
		return f, fmt.Errorf("reading payload: file %q has %d bytes, the header says %d", name, e.Size, f.Size)
	}
	seen[name] = true
	return f, nil
}

func (s *srpm) missing(seen map[string]bool) error {
	for _, name := range s.names {
		if !seen[name] {
			return fmt.Errorf("reading payload: file %q is missing", name)
		}
	}
	return nil
}

// readFile calls do for a single file, and checks its digest afterwards.
func (s *srpm) readFile(ctx context.Context, f rpm.File, r io.Reader, do func(rpm.File, io.Reader) error) error {
	sum := newDigest(f.DigestAlgo)
	if sum != nil && f.Digest != "" {
		r = io.TeeReader(r, sum)
	}
	if err := do(f, r); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, contextReader{ctx, r}); err != nil {
		return fmt.Errorf("reading %s: %w", f.Path, err)
	}
	if sum == nil || f.Digest == "" {
		return nil
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.Digest {
		return fmt.Errorf("reading %s: digest got %s, want %s", f.Path, got, f.Digest)
	}
	return nil
}

// newDigest returns nil for an unknown hash, which a future rpm may use.
func newDigest(algo rpm.DigestAlgo) hash.Hash {
	switch algo {
	case rpm.DigestMD5:
		return md5.New()
	case rpm.DigestSHA1:
		return sha1.New()
	case rpm.DigestSHA256:
		return sha256.New()
	case rpm.DigestSHA384:
		return sha512.New384()
	case rpm.DigestSHA512:
		return sha512.New()
	case rpm.DigestSHA224:
		return sha256.New224()
	}
	return nil
}

// readSpec reads the payload up to the spec, and returns the spec's text.
func (s *srpm) readSpec(ctx context.Context) ([]byte, error) {
	var text []byte
	found := false
	err := s.each(ctx, new(meter), func(f rpm.File, r io.Reader) error {
		if found {
			return errStop
		}
		if found = f.Path == s.spec; !found {
			return nil
		}
		if f.Size > largest {
			return fmt.Errorf("reading %s: %d bytes, more than 16 MiB", f.Path, f.Size)
		}
		var err error
		text, err = io.ReadAll(r)
		return err
	})
	return text, err
}

// buildRequires returns the requirements in a header, without those of features of
// rpm itself.
func buildRequires(h *rpm.Header) []string {
	names, versions, flags := h.Strings(rpm.TagRequireName), h.Strings(rpm.TagRequireVersion), h.Ints(rpm.TagRequireFlags)
	var list []string
	for i, name := range names {
		if strings.HasPrefix(name, "rpmlib(") {
			continue
		}
		if i < len(versions) && i < len(flags) && versions[i] != "" {
			name += " " + sense(flags[i]) + " " + versions[i]
		}
		list = append(list, name)
	}
	return list
}

// sense returns the operator for rpm's bits RPMSENSE_LESS, _GREATER and _EQUAL.
func sense(flags int64) string {
	const less, greater, equal = 1 << 1, 1 << 2, 1 << 3
	op := ""
	if flags&less != 0 {
		op += "<"
	}
	if flags&greater != 0 {
		op += ">"
	}
	if flags&equal != 0 {
		op += "="
	}
	return op
}
