package plan

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"strings"

	"namibuild/builder/recipe"
)

// Image is the definition of a builder image.
type Image struct {
	Name string
	// Files has the files that the image is made from: the Dockerfile and all
	// files below Paths. It may have others, which are not used.
	Files      fs.FS
	Dockerfile string
	Paths      []string
	// Digest is that of the Dockerfile and the files below Paths. Sums are the
	// SHA-256 of each of them by its path.
	Digest string
	Sums   map[string]string
}

// common is the folder that every image has. PinFolder is the part of it with
// the sources of the pins.
const (
	common    = "images/common"
	PinFolder = common + "/pins"
)

// VaryFolder has the sources of the libraries that a varied build preloads. They
// are in no image and in no plan: below the pins they must have no effect.
const VaryFolder = "images/vary"

// DefineImage returns the definition of the image that a recipe names, from the
// files that come with namibuild.
func DefineImage(files fs.FS, name string) (Image, error) {
	kind, err := imageNamed(name)
	if err != nil {
		return Image{}, err
	}
	image := Image{Name: name, Files: files, Dockerfile: kind.dockerfile, Paths: []string{common, "images/" + name}, Sums: map[string]string{}}
	if kind.shared != "" {
		image.Paths = append(image.Paths, kind.shared)
	}
	h := sha256.New()
	for _, root := range append([]string{image.Dockerfile}, image.Paths...) {
		err := addTree(h, files, root)
		if err == nil {
			err = sums(image.Sums, files, root)
		}
		if err != nil {
			return Image{}, fmt.Errorf("reading the definition of image %s: %w", name, err)
		}
	}
	image.Digest = fmt.Sprintf("%x", h.Sum(nil))
	return image, nil
}

// sums adds the digests of root, or of the files below it, to all.
func sums(all map[string]string, files fs.FS, root string) error {
	return fs.WalkDir(files, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		all[name] = digest(data)
		return err
	})
}

// TreeDigest returns the SHA-256 of the paths, contents and executable bits of all
// files in a tree. Anything but a regular file or a folder is an error.
func TreeDigest(tree fs.FS) (string, error) {
	h := sha256.New()
	if err := addTree(h, tree, "."); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// addTree adds root, or the files below it, to a hash.
func addTree(h hash.Hash, files fs.FS, root string) error {
	return fs.WalkDir(files, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return addFile(h, files, name)
	})
}

// addFile adds one file to a hash. Different lists of files never add the same
// bytes.
func addFile(h hash.Hash, files fs.FS, name string) error {
	info, err := fs.Lstat(files, name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", name)
	}
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintf(h, "%q %t %d\n", name, info.Mode()&0o111 != 0, info.Size())
	n, err := io.Copy(h, f)
	if err == nil && n != info.Size() {
		err = fmt.Errorf("%s has %d bytes, want %d", name, n, info.Size())
	}
	return err
}

// kind is how a builder image differs from others.
type kind struct {
	dockerfile string
	// shared is a folder that the image has in common with some others, or empty.
	shared string
	// oldGzip tells that gzip writes the time even when it reads a pipe, and that
	// it takes options from GZIP without a warning. The other images have a
	// program in front of gzip that adds -n.
	oldGzip bool
	// noclean tells that rpmbuild -bb has to be told not to remove the build tree
	// at its end. That takes up to a minute, and the topdir is removed anyway. rpm
	// 4.8 does not remove the tree, and does not know the option.
	noclean bool
	// ownClock tells that rpm reads SOURCE_DATE_EPOCH when its macros say so.
	ownClock bool
}

// kinds are the images that a recipe can name. CentOS 6.5 has gzip 1.3.12 and
// rpm 4.8.0, CentOS 7.9 gzip 1.5 and rpm 4.11, Rocky Linux 8.9 gzip 1.9 and rpm
// 4.14, 9.3 gzip 1.12 and rpm 4.16, Debian 12 gzip 1.12 and rpm 4.18.0.
var kinds = map[string]kind{
	"centos6":  {dockerfile: "Dockerfile.centos6", oldGzip: true},
	"centos7":  {dockerfile: "images/centos7/Dockerfile", shared: "images/el", oldGzip: true},
	"rocky8":   {dockerfile: "images/rocky8/Dockerfile", shared: "images/el", ownClock: true},
	"rocky9":   {dockerfile: "images/rocky9/Dockerfile", shared: "images/el", ownClock: true},
	"debian12": {dockerfile: "images/debian12/Dockerfile", noclean: true, ownClock: true},
}

func imageNamed(name string) (kind, error) {
	k, ok := kinds[name]
	if !ok {
		return k, fmt.Errorf("no such image: %q, must be one of %s", name, strings.Join(recipe.Images(), ", "))
	}
	return k, nil
}
