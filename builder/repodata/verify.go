package repodata

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"namibuild/builder/unpack"
)

// ErrNotSigned reports that a repository has no repomd.xml.asc.
var ErrNotSigned = errors.New("repository is not signed")

// These are limits for what Verify reads into memory, in bytes.
const (
	maxIndex = 1 << 20
	maxList  = 512 << 20
)

// Verify checks a repository on the disk: the signature of the index by check, unless
// that is nil; the size and checksum of every list; and that the packages below dir are
// undamaged and are those that the list primary names, no more and no fewer. known may be
// nil; see Options.Known. Verify also accepts repositories of createrepo_c if their lists
// are compressed by gzip.
func Verify(dir string, check func(data, signature []byte) error, known Known) (Repo, error) {
	repo, err := verify(dir, check, known)
	if err != nil {
		return Repo{}, fmt.Errorf("verifying the repository: %w", err)
	}
	return repo, nil
}

func verify(dir string, check func(data, signature []byte) error, known Known) (Repo, error) {
	page, err := readBounded(filepath.Join(dir, folder, index), maxIndex)
	if err != nil {
		return Repo{}, err
	}
	signed, err := verifySignature(dir, page, check)
	if err != nil {
		return Repo{}, err
	}
	var md repomd
	if err := xml.Unmarshal(page, &md); err != nil {
		return Repo{}, fmt.Errorf("%s: %w", index, err)
	}
	lists := map[string][]byte{}
	for _, l := range md.Lists {
		if lists[l.Type], err = l.read(dir); err != nil {
			return Repo{}, fmt.Errorf("list %s: %w", l.Type, err)
		}
	}
	for _, want := range []string{"primary", "filelists", "other"} {
		if lists[want] == nil {
			return Repo{}, fmt.Errorf("%s names no list %s", index, want)
		}
	}
	repo := Repo{Revision: md.Revision, Signed: signed}
	repo.Packages, err = verifyPackages(dir, lists["primary"], known)
	return repo, err
}

// verifySignature checks the signature of the index, and reports whether there is one.
func verifySignature(dir string, page []byte, check func(data, signature []byte) error) (signed bool, err error) {
	sig, err := readBounded(filepath.Join(dir, folder, signature), maxIndex)
	absent := errors.Is(err, os.ErrNotExist)
	switch {
	case check == nil && absent:
		return false, nil
	case absent:
		return false, ErrNotSigned
	case err != nil:
		return false, err
	case check == nil:
		return true, nil
	}
	if err := check(page, sig); err != nil {
		return false, fmt.Errorf("%s: %w", signature, err)
	}
	return true, nil
}

// read reads a list, compressed or not, and checks its sizes and checksums.
func (l list) read(dir string) ([]byte, error) {
	path := filepath.FromSlash(l.Location.Href)
	if !filepath.IsLocal(path) || filepath.Dir(path) != folder {
		return nil, fmt.Errorf("location %q is not in %s", l.Location.Href, folder)
	}
	data, err := readBounded(filepath.Join(dir, path), maxList)
	if err != nil {
		return nil, err
	}
	if err := compare(data, l.Size, l.Checksum); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return data, nil
	}
	if data, err = decompressed(data, min(l.OpenSize, maxList)); err == nil {
		err = compare(data, l.OpenSize, l.OpenChecksum)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: decompressed: %w", path, err)
	}
	return data, nil
}

func decompressed(data []byte, limit int64) ([]byte, error) {
	r, err := unpack.Open(bytes.NewReader(data), limit)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// compare compares data with its size and checksum in the index.
func compare(data []byte, size int64, sum checksum) error {
	switch got := hexSum(data); {
	case int64(len(data)) != size:
		return fmt.Errorf("%d bytes, want %d", len(data), size)
	case sum.Type != "sha256":
		return fmt.Errorf("checksum is %q, want sha256", sum.Type)
	case got != sum.Hex:
		return fmt.Errorf("sha256 got %s, want %s", got, sum.Hex)
	}
	return nil
}

// listedPackage is what Verify reads of a package in the list primary.
type listedPackage struct {
	Name     string   `xml:"name"`
	Arch     string   `xml:"arch"`
	Version  version  `xml:"version"`
	Checksum checksum `xml:"checksum"`
	Size     struct {
		Package int64 `xml:"package,attr"`
	} `xml:"size"`
	Location location `xml:"location"`
}

// verifyPackages compares the list primary with the packages below dir.
func verifyPackages(dir string, primary []byte, known Known) ([]Package, error) {
	var listed struct {
		Packages []listedPackage `xml:"package"`
	}
	if err := xml.Unmarshal(primary, &listed); err != nil {
		return nil, fmt.Errorf("list primary: %w", err)
	}
	found, err := readAll(dir, known)
	if err != nil {
		return nil, err
	}
	wanted := map[string]listedPackage{}
	for _, p := range listed.Packages {
		wanted[p.Location.Href] = p
	}
	var packages []Package
	for _, f := range found {
		p, ok := wanted[f.Path]
		if !ok {
			return nil, fmt.Errorf("%s is not in the list", f.Path)
		}
		delete(wanted, f.Path)
		got := listedPackage{clean(f.NEVRA.Name), f.arch(), f.version(), checksum{"sha256", "YES", f.SHA256}, p.Size, p.Location}
		got.Size.Package = f.Size
		if got != p {
			return nil, fmt.Errorf("%s is %s of %d bytes, sha256 %s; the list says %s", f.Path, f.NEVRA, f.Size, f.SHA256, p)
		}
		packages = append(packages, f.Package)
	}
	if left := slices.Sorted(maps.Keys(wanted)); len(left) > 0 {
		return nil, fmt.Errorf("%s is in the list, but missing", left[0])
	}
	return packages, nil
}

func (p listedPackage) String() string {
	return fmt.Sprintf("%s-%s:%s-%s.%s of %d bytes, %s %s", p.Name, p.Version.Epoch, p.Version.Version, p.Version.Release, p.Arch,
		p.Size.Package, p.Checksum.Type, p.Checksum.Hex)
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := bounded(f, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

func bounded(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return data, err
}
