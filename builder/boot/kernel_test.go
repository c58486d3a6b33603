package boot

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

const release = "6.1.0-1.x86_64"

// image has the mark of a bzImage in its place.
var image = strings.Repeat("k", 0x202) + "HdrS" + "rest"

// packages writes packages to a folder and returns their paths.
func packages(t *testing.T, all ...rpmtest.Package) []string {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for _, p := range all {
		if p.Arch == "" {
			p.Arch = "x86_64"
		}
		p.Version, p.Release = "6.1.0", "1"
		path := filepath.Join(dir, fmt.Sprintf("%s-6.1.0-1.%s.rpm", p.Name, p.Arch))
		if err := os.WriteFile(path, rpmtest.Build(p), 0o666); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func file(path, content string) rpmtest.File {
	return rpmtest.File{Path: path, Content: content, Mode: 0o100644}
}

func kernelPackage(more ...rpmtest.File) rpmtest.Package {
	return rpmtest.Package{Name: "kernel", Files: append([]rpmtest.File{
		file("/boot/config-"+release, "CONFIG_64BIT=y\n# CONFIG_NET is not set\nCONFIG_INET=m\n"),
		file("/boot/vmlinuz-"+release, image),
	}, more...)}
}

// TestReadKernel reads everything that a proof needs, whichever package has it.
func TestReadKernel(t *testing.T) {
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(image)))
	a, b := module(t, ""), module(t, "a-a")
	modules := "/lib/modules/" + release + "/kernel/"
	devel := rpmtest.Package{Name: "kernel-devel", Files: []rpmtest.File{file("/usr/src/kernels/"+release+"/crypto/signature/key.h", "{0x99,0x01};")}}
	want := Kernel{
		Package: "kernel-6.1.0-1.x86_64.rpm", Release: release, File: "/boot/vmlinuz-" + release, SHA256: sum, Image: []byte(image),
		Config: Config{"64BIT": "y", "INET": "m"}, Keyring: []byte{0x99, 0x01},
		Modules: []Module{{Name: "a_a", Data: a}, {Name: "b", Wanted: true, Data: b, depends: []string{"a_a"}}},
	}
	encoder, _ := zstd.NewWriter(nil)
	tests := map[string][]rpmtest.Package{
		"el6": {devel, kernelPackage(file(modules+"a-a.ko", string(a)), file(modules+"net/b.ko", string(b))),
			{Name: "kernel-debug", Files: []rpmtest.File{file("/boot/vmlinuz-"+release+".debug", image)}}},
		"compressed modules in a package of their own": {devel, kernelPackage(), {Name: "kernel-modules", Files: []rpmtest.File{
			file(modules+"a-a.ko.zst", string(encoder.EncodeAll(a, nil))), file(modules+"net/b.ko", string(b))}}},
	}
	for name, set := range tests {
		got, err := ReadKernel(packages(t, set...), []string{"b"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(Module{})); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

// TestReadKernelOfEL8 reads an image that is beside the modules; in /boot it is a
// ghost.
func TestReadKernelOfEL8(t *testing.T) {
	ghost := file("/boot/vmlinuz-"+release, "")
	ghost.Flags = rpm.FlagGhost
	core := rpmtest.Package{Name: "kernel-core", Files: []rpmtest.File{ghost, file("/lib/modules/"+release+"/config", "CONFIG_NET=y\n"), file("/lib/modules/"+release+"/vmlinuz", image)}}
	got, err := ReadKernel(packages(t, rpmtest.Package{Name: "kernel"}, core), nil)
	if err != nil || got.Release != release || got.File != "/lib/modules/"+release+"/vmlinuz" || got.Config["NET"] != "y" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReadKernelErrors(t *testing.T) {
	source := rpmtest.Package{Name: "kernel", Source: true, Files: []rpmtest.File{file("kernel.spec", "")}}
	foreign := kernelPackage()
	foreign.Arch = "aarch64"
	tests := map[string]struct {
		set     []rpmtest.Package
		modules []string
		want    string
	}{
		"no kernel":    {[]rpmtest.Package{{Name: "kernel-headers", Files: []rpmtest.File{file("/usr/include/a.h", "")}}}, nil, "finding a kernel in kernel-headers-6.1.0-1.x86_64.rpm: none has a /boot/vmlinuz-… or /lib/modules/…/vmlinuz"},
		"source":       {[]rpmtest.Package{source}, nil, "finding a kernel in kernel-6.1.0-1.x86_64.rpm: it is a source package: build it first"},
		"architecture": {[]rpmtest.Package{foreign}, nil, "finding a kernel in kernel-6.1.0-1.aarch64.rpm: its kernel is for aarch64, and only x86_64 kernels can be booted"},
		"no bzImage":   {[]rpmtest.Package{{Name: "kernel", Files: []rpmtest.File{file("/boot/vmlinuz-1", strings.Repeat("x", 999))}}}, nil, "finding a kernel in kernel-6.1.0-1.x86_64.rpm: /boot/vmlinuz-1 is not an x86 bzImage"},
		"no module":    {[]rpmtest.Package{kernelPackage()}, []string{"tun"}, "reading module tun: no package has it"},
		"no ELF":       {[]rpmtest.Package{kernelPackage(file("/lib/modules/"+release+"/tun.ko", "no module at all, and long enough"))}, []string{"tun"}, "reading module tun.ko: bad magic number '[110 111 32 109]' in record at byte 0x0"},
	}
	for name, test := range tests {
		_, err := ReadKernel(packages(t, test.set...), test.modules)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: got  %v\nwant %s", name, err, test.want)
		}
	}
}

// TestDamagedKernel flips one bit of the image in the package.
func TestDamagedKernel(t *testing.T) {
	p := kernelPackage()
	p.Payload = "none"
	path := packages(t, p)[0]
	data := read(t, path)
	at := strings.Index(string(data), image)
	data[at+7] ^= 1
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKernel([]string{path}, nil); err == nil || !strings.Contains(err.Error(), "/boot/vmlinuz-"+release+" sha256 got") {
		t.Errorf("got %v", err)
	}
}

// TestOptions checks that the error names the missing options and what they are
// for.
func TestOptions(t *testing.T) {
	full := "CONFIG_64BIT=y\nCONFIG_BLK_DEV_INITRD=y\nCONFIG_BINFMT_ELF=y\nCONFIG_PRINTK=y\nCONFIG_SERIAL_8250=y\nCONFIG_SERIAL_8250_CONSOLE=y\nCONFIG_PROC_FS=y\n"
	everything := recipe.Proof{TimeWait: 5, FinTimeout: 5, Modules: []string{"tun"}, Signed: true}
	tests := map[string]struct {
		config   Config
		want     recipe.Proof
		verifies bool
		err      string
	}{
		"enough":    {ParseConfig([]byte(full)), recipe.Proof{}, false, ""},
		"not known": {nil, everything, true, ""},
		"a module is not built in": {ParseConfig([]byte(strings.Replace(full, "8250_CONSOLE=y", "8250_CONSOLE=m", 1))), recipe.Proof{}, false,
			"the kernel cannot be proven: its configuration lacks CONFIG_SERIAL_8250_CONSOLE=y (the console)"},
		"of single checks": {ParseConfig([]byte(full)), everything, true,
			"the kernel cannot be proven: its configuration lacks CONFIG_NET=y (a TIME_WAIT socket), CONFIG_INET=y (a TIME_WAIT socket), " +
				"CONFIG_PROC_SYSCTL=y (tcp_fin_timeout), CONFIG_MODULES=y (loading modules), CONFIG_MODULE_SIG=y (verifying the modules' signatures)"},
	}
	for name, test := range tests {
		err := test.config.requireFor(test.want, test.verifies)
		if got := fmt.Sprint(err); test.err == "" && err != nil || test.err != "" && got != test.err {
			t.Errorf("%s: got  %v\nwant %s", name, err, test.err)
		}
	}
	var e *OptionsError
	if _, _, err := Prove(t.Context(), Order{Kernel: Kernel{Config: Config{}}}); !errors.As(err, &e) {
		t.Errorf("Prove gives %v", err)
	}
}
