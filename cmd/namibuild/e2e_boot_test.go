//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"namibuild/builder/boot"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

// checkProofs checks that quickstart has left both proofs, of 5 s and of 60 s, and that a
// release accepts them.
func checkProofs(t *testing.T, patched, stock string) {
	t.Helper()
	for out, want := range map[string]string{patched: "5.00 s", stock: "60.00 s"} {
		s, err := set.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		p, err := boot.Proven(s.Dir, s.Files, s.RPMs)
		if err != nil {
			t.Errorf("%s: %v", out, err)
		}
		seen := map[string]boot.Check{}
		for _, c := range p.Checks {
			seen[c.Name] = c
		}
		for _, name := range []string{"boot", "release", "/proc/version", "time-wait", "tcp_fin_timeout", "module tun", "console"} {
			if !seen[name].Passed {
				t.Errorf("%s: %s: %+v", out, name, seen[name])
			}
		}
		if seen["time-wait"].Want != want || !strings.Contains(seen["module tun"].Got, "signed by key ") || p.PlanID == "" {
			t.Errorf("%s: %+v", out, p)
		}
	}
}

// checkBoot boots the demo's kernel in several ways, most of them with one thing wrong.
func checkBoot(t *testing.T, out string) {
	begin(t)
	dir := t.TempDir()
	page := func(name, proof string) string {
		file := filepath.Join(dir, name+".yaml")
		text := "name: " + name + "\nimage: debian12\nsource: {file: k.src.rpm, sha256: " + strings.Repeat("a", 64) + "}\npackages: [kernel]\nproof: " + proof + "\n"
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return file
	}
	kernel, err := filepath.Glob(filepath.Join(out, "RPMS", "kernel-6.*.rpm"))
	if err != nil || len(kernel) != 1 {
		t.Fatalf("%v, %v", kernel, err)
	}
	tests := map[string]struct {
		args []string
		code int
		want string // in stderr, or in stdout where the code is 0
		took time.Duration
	}{
		"in a container":        {[]string{out, "--qemu", "container"}, 0, "+ time-wait", 3 * time.Minute},
		"the package alone":     {[]string{kernel[0], "--keep", filepath.Join(dir, "guest")}, 0, "+ release        6.1.", time.Minute},
		"another length":        {[]string{out, "--recipe", page("long", "{time-wait: 6}")}, exitUnproven, "1 of 5 checks failed: time-wait: want 6.00 s, got 5.0", time.Minute},
		"another fin-timeout":   {[]string{out, "--recipe", page("fin", "{fin-timeout: 60}")}, exitUnproven, "tcp_fin_timeout: want 60 s, got 5 s", time.Minute},
		"a module that is none": {[]string{out, "--recipe", page("module", "{modules: [ext4]}")}, exitNoKernel, "reading module ext4: no package has it", time.Minute},
		"a panic":               {[]string{out, "--append", "rdinit=/none"}, exitUnproven, "boot: want boots, answers, powers off, got panics: ", time.Minute},
		"the time limit":        {[]string{out, "--limit", "50ms"}, exitNoKernel, "booting: no verdict within the time limit of 50ms; ", 20 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			code, stdout, stderr := runCommand(t, append([]string{"boot"}, test.args...)...)
			where := stderr
			if test.code == 0 {
				where = stdout
			}
			if code != test.code || !strings.Contains(where, test.want) || time.Since(start) > test.took {
				t.Errorf("exit %d after %v, want %d\n%s%s", code, time.Since(start), test.code, stdout, stderr)
			}
			nothingLeft(t)
		})
	}
	if code, _, stderr := runCommand(t, "boot", out); code != 0 {
		t.Errorf("in the end: exit %d\n%s", code, stderr)
	}
}

// TestEndToEndBootBad boots kernels that never start their process 1. Each gets its
// verdict, or none, within the limit.
func TestEndToEndBootBad(t *testing.T) {
	begin(t)
	config := "CONFIG_64BIT=y\nCONFIG_BLK_DEV_INITRD=y\nCONFIG_BINFMT_ELF=y\nCONFIG_PRINTK=y\nCONFIG_SERIAL_8250=y\nCONFIG_SERIAL_8250_CONSOLE=y\nCONFIG_PROC_FS=y\n"
	tests := map[string]struct {
		image, config, arch, limit string
		code                       int
		want                       string
	}{
		"hangs":                  {string(boot.RealMode(0xeb, 0xfe)), config, "x86_64", "4s", exitNoKernel, "booting: no verdict within the time limit of 4s; the console showed nothing"},
		"reboots in a loop":      {string(boot.RealMode(0xb0, 0xfe, 0xe6, 0x64, 0xf4)), config, "x86_64", "4s", exitUnproven, "got restarts before the witness prints anything, so a machine would reboot in a loop"},
		"prints without end":     {string(boot.RealMode(0xba, 0xf8, 0x03, 0xb0, 'x', 0xee, 0xeb, 0xfd)), config, "x86_64", "1m", exitUnproven, "got prints without end: more than 8 MB"},
		"lacks options":          {string(boot.RealMode(0xeb, 0xfe)), strings.Replace(config, "CONFIG_PRINTK=y", "# CONFIG_PRINTK is not set", 1), "x86_64", "4s", exitNoKernel, "its configuration lacks CONFIG_PRINTK=y (the console)"},
		"is for another machine": {string(boot.RealMode(0xeb, 0xfe)), config, "aarch64", "4s", exitNoKernel, "its kernel is for aarch64, and only x86_64 kernels can be booted"},
		"is no kernel":           {"text", config, "x86_64", "4s", exitNoKernel, "is not an x86 bzImage"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "kernel.rpm")
			data := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "1", Release: "1", Arch: test.arch, Files: []rpmtest.File{
				{Path: "/boot/vmlinuz-1-1." + test.arch, Content: test.image}, {Path: "/boot/config-1-1." + test.arch, Content: test.config}}})
			if err := os.WriteFile(file, data, 0o666); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			code, stdout, stderr := runCommand(t, "boot", file, "--qemu", "host", "--limit", test.limit)
			if took := time.Since(start); code != test.code || !strings.Contains(stderr, test.want) || took > 2*time.Minute {
				t.Errorf("exit %d after %v, want %d\n%s%s", code, took, test.code, stdout, stderr)
			}
			nothingLeft(t)
		})
	}
}
