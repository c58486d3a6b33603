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

// Arch is the one architecture whose kernels can be booted here.
const Arch = "x86_64"

// maxFile bounds what is taken out of a package into memory: a vmlinuz has 4
// to 15 MB, a module at most a few.
const maxFile = 256 << 20

// Kernel is what the packages of one build have of their kernel.
type Kernel struct {
	// Package is the file name of the package that holds the image.
	Package string `json:"package"`
	// Release is what uname -r must say.
	Release string `json:"release"`
	// File is the image's path in the package, SHA256 its digest.
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	// Image is the bzImage.
	Image []byte `json:"-"`
	// Config is nil when no package holds it.
	Config Config `json:"-"`
	// Modules are those that were asked for and what they depend on, in the
	// order in which they must be loaded.
	Modules []Module `json:"-"`
	// Keyring is the OpenPGP key of kernel-devel's crypto/signature/key.h; nil
	// when there is none.
	Keyring []byte `json:"-"`
}

// NoKernelError says that packages hold nothing that can be booted here.
type NoKernelError struct {
	Where  string
	Reason string
}

func (e *NoKernelError) Error() string {
	return fmt.Sprintf("finding a kernel in %s: %s", e.Where, e.Reason)
}

// ReadKernel takes the kernel out of packages, with the modules of these names
// and all that they depend on. Of several kernels (kernel-debug) it takes the
// one whose package has the shortest name. The digests of every package that it
// takes something of are checked. Errors: *NoKernelError, *ModuleError.
func ReadKernel(files []string, modules []string) (Kernel, error) {
	where := "the packages"
	if len(files) == 1 {
		where = filepath.Base(files[0])
	}
	all, err := open(files)
	if err != nil {
		return Kernel{}, err
	}
	k, home, err := find(all, where)
	if err != nil {
		return Kernel{}, err
	}
	if k.Image, err = home.read(k.File); err != nil {
		return Kernel{}, err
	}
	if len(k.Image) < 0x206 || string(k.Image[0x202:0x206]) != "HdrS" { // Documentation/arch/x86/boot.rst
		return Kernel{}, &NoKernelError{k.Package, k.File + " is no x86 bzImage"}
	}
	sum := sha256.Sum256(k.Image)
	k.SHA256 = hex.EncodeToString(sum[:])
	if err := k.beside(all); err != nil {
		return Kernel{}, err
	}
	k.Modules, err = readModules(all, k.Release, modules)
	return k, err
}

// beside takes what lies around the image: its configuration, its keys.
func (k *Kernel) beside(all []pack) error {
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

// pack is a package, by its header.
type pack struct {
	path  string
	pkg   *rpm.Package
	files map[string]rpm.File
}

func open(paths []string) ([]pack, error) {
	var all []pack
	for _, p := range paths {
		c, err := openOne(p)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", filepath.Base(p), err)
		}
		all = append(all, c)
	}
	return all, nil
}

func openOne(p string) (pack, error) {
	f, err := os.Open(p)
	if err != nil {
		return pack{}, err
	}
	defer f.Close()
	pkg, err := rpm.ReadPackage(f)
	if err != nil {
		return pack{}, err
	}
	list, err := pkg.Files()
	if err != nil {
		return pack{}, err
	}
	c := pack{p, pkg, map[string]rpm.File{}}
	for _, file := range list {
		if file.Flags&rpm.FlagGhost == 0 {
			c.files[file.Path] = file
		}
	}
	return c, nil
}

// imageName is where kernel packages have their image: EL6 and 7 in /boot, from
// EL8 on beside the modules, too.
var imageName = regexp.MustCompile(`^(?:/boot/vmlinuz-([^/]+)|(?:/usr)?/lib/modules/([^/]+)/vmlinuz)$`)

// find chooses the package with the kernel.
func find(all []pack, where string) (Kernel, pack, error) {
	slices.SortStableFunc(all, func(a, b pack) int {
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
		case arch != Arch:
			reason = fmt.Sprintf("its kernel is for %s, and only %s is booted here", arch, Arch)
		default:
			return k, c, nil
		}
	}
	return Kernel{}, pack{}, &NoKernelError{where, reason}
}

// readFrom is a file of whichever package has it, nil when none has.
func readFrom(all []pack, name string) ([]byte, error) {
	for _, c := range all {
		if _, ok := c.files[name]; ok {
			return c.read(name)
		}
	}
	return nil, nil
}

// read takes one file out of a package.
func (c pack) read(name string) ([]byte, error) {
	found, err := c.readAll(name)
	return found[name], err
}

// readAll takes files out of a package, by their paths.
func (c pack) readAll(names ...string) (map[string][]byte, error) {
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

func (c pack) walk(r io.Reader, names []string, found map[string][]byte) error {
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

// content is that of a file, checked against the digest in the header.
func (c pack) content(name string, r io.Reader, size int64) ([]byte, error) {
	if size > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", name, size, int64(maxFile))
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return data, c.files[name].Check(data)
}
