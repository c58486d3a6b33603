package boot

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"namibuild/builder/rpm"
)

// bootable is the only architecture whose kernels can be booted.
const bootable = "x86_64"

// maxFile is the size of the largest file that is read from a package into
// memory. A vmlinuz has 4 to 15 MB, a module at most a few.
const maxFile = 256 << 20

// Kernel is the kernel of the packages of one build.
type Kernel struct {
	// Package is the file name of the package that holds the image.
	Package string `json:"package"`
	// Release is what uname -r must print.
	Release string `json:"release"`
	// File is the path of the image in the package, SHA256 its digest.
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	// Image is the bzImage.
	Image []byte `json:"-"`
	// Config is nil if no package holds it.
	Config Config `json:"-"`
	// Modules holds the modules that were asked for and all that they depend on,
	// in the order in which they must be loaded.
	Modules []Module `json:"-"`
	// Keyring holds the OpenPGP key of kernel-devel's crypto/signature/key.h; nil
	// if there is none.
	Keyring []byte `json:"-"`
}

// NoKernelError reports that packages hold no kernel that can be booted.
type NoKernelError struct {
	Where  string
	Reason string
}

func (e *NoKernelError) Error() string {
	return fmt.Sprintf("finding a kernel in %s: %s", e.Where, e.Reason)
}

// ReadKernel reads the kernel from packages, with the modules of these names and
// all that they depend on. If there are several kernels (kernel-debug), it takes
// the one whose package has the shortest name. It checks every file that it reads
// against the digest in the package's header. Errors: *NoKernelError,
// *ModuleError.
func ReadKernel(files []string, modules []string) (Kernel, error) {
	where := "the packages"
	if len(files) == 1 {
		where = filepath.Base(files[0])
	}
	all, err := open(files)
	if err != nil {
		return Kernel{}, err
	}
	k, from, err := find(all, where)
	if err != nil {
		return Kernel{}, err
	}
	if k.Image, err = from.read(k.File); err != nil {
		return Kernel{}, err
	}
	if len(k.Image) < 0x206 || string(k.Image[0x202:0x206]) != "HdrS" { // Documentation/arch/x86/boot.rst
		return Kernel{}, &NoKernelError{k.Package, k.File + " is not an x86 bzImage"}
	}
	sum := sha256.Sum256(k.Image)
	k.SHA256 = hex.EncodeToString(sum[:])
	if err := k.readConfigAndKeys(all); err != nil {
		return Kernel{}, err
	}
	k.Modules, err = readModules(all, k.Release, modules)
	return k, err
}

// readConfigAndKeys reads the configuration and the keys that belong to the image.
func (k *Kernel) readConfigAndKeys(all []openPackage) error {
	for _, name := range []string{"/boot/config-" + k.Release, "/lib/modules/" + k.Release + "/config"} {
		data, err := readFrom(all, name)
		if err != nil {
			return err
		}
		if data != nil && k.Config == nil {
			k.Config = ParseConfig(data)
		}
	}
	header, err := readFrom(all, "/usr/src/kernels/"+k.Release+"/crypto/signature/key.h")
	if err == nil && header != nil {
		k.Keyring = bytesOf(header)
	}
	return err
}

// openPackage is a package whose header has been read.
type openPackage struct {
	path  string
	pkg   *rpm.Package
	files map[string]rpm.File
}

// open reads the headers of packages.
func open(paths []string) ([]openPackage, error) {
	var all []openPackage
	for _, p := range paths {
		c, err := openFile(p)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", filepath.Base(p), err)
		}
		all = append(all, c)
	}
	return all, nil
}

// openFile reads the header of a package.
func openFile(p string) (openPackage, error) {
	f, err := os.Open(p)
	if err != nil {
		return openPackage{}, err
	}
	defer f.Close()
	pkg, err := rpm.ReadPackage(f)
	if err != nil {
		return openPackage{}, err
	}
	list, err := pkg.Files()
	if err != nil {
		return openPackage{}, err
	}
	c := openPackage{p, pkg, map[string]rpm.File{}}
	for _, file := range list {
		if file.Flags&rpm.FlagGhost == 0 {
			c.files[file.Path] = file
		}
	}
	return c, nil
}

// imageName matches the path of a kernel package's image: EL6 and EL7 have it in
// /boot, EL8 and later beside the modules, too.
var imageName = regexp.MustCompile(`^(?:/boot/vmlinuz-([^/]+)|(?:/usr)?/lib/modules/([^/]+)/vmlinuz)$`)

// find finds the package with the kernel.
func find(all []openPackage, where string) (Kernel, openPackage, error) {
	slices.SortStableFunc(all, func(a, b openPackage) int {
		return cmp.Compare(len(a.pkg.NEVRA().Name), len(b.pkg.NEVRA().Name))
	})
	reason := "none has a /boot/vmlinuz-… or /lib/modules/…/vmlinuz"
	for _, c := range all {
		var k Kernel
		for name := range c.files {
			if m := imageName.FindStringSubmatch(name); m != nil && (k.File == "" || name < k.File) {
				k = Kernel{Package: filepath.Base(c.path), Release: m[1] + m[2], File: name}
			}
		}
		arch := c.pkg.NEVRA().Arch
		switch {
		case c.pkg.IsSource():
			reason = "it is a source package: build it first"
		case k.File == "":
		case arch != bootable:
			reason = fmt.Sprintf("its kernel is for %s, and only %s kernels can be booted", arch, bootable)
		default:
			return k, c, nil
		}
	}
	return Kernel{}, openPackage{}, &NoKernelError{where, reason}
}

// readFrom reads a file from the first package that has it. It returns nil if none
// has.
func readFrom(all []openPackage, name string) ([]byte, error) {
	for _, c := range all {
		if _, ok := c.files[name]; ok {
			return c.read(name)
		}
	}
	return nil, nil
}

// read reads a file of the package.
func (c openPackage) read(name string) ([]byte, error) {
	found, err := c.readAll(name)
	return found[name], err
}

// readAll reads files of the package in one pass, and returns them by their paths.
func (c openPackage) readAll(names ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	f, err := os.Open(c.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = c.walk(f, names, found)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Base(c.path), err)
	}
	return found, nil
}

// walk reads the payload until all files of these names are found.
func (c openPackage) walk(r io.Reader, names []string, found map[string][]byte) error {
	pkg, err := rpm.ReadPackage(r)
	if err != nil {
		return err
	}
	payload, err := pkg.Payload(r)
	if err != nil {
		return err
	}
	defer payload.Close()
	for len(found) < len(names) {
		e, err := payload.Next()
		if err == io.EOF {
			return fmt.Errorf("its payload lacks %s", strings.Join(names, ", "))
		}
		if err != nil {
			return err
		}
		name := "/" + path.Clean(strings.TrimPrefix(e.Name, "./"))
		if !slices.Contains(names, name) {
			continue
		}
		if found[name], err = c.content(name, payload, e.Size); err != nil {
			return err
		}
	}
	return nil
}

// content reads a file and checks it against the digest in the header.
func (c openPackage) content(name string, r io.Reader, size int64) ([]byte, error) {
	if size > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", name, size, int64(maxFile))
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return data, c.files[name].Check(data)
}
