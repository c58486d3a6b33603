//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

// configured returns the tiny kernel with a configuration. Its stand-in for Kconfig drops
// the option NOT_THERE and always sets HZ to 250.
func configured(config string) tiny {
	k := newTiny()
	k.config = config
	k.sources = []rpmtest.File{{Path: "config", Content: "CONFIG_HZ=250\nCONFIG_NET_9P=y\n", Mode: 0o100644}}
	k.build = `sed -e '/NOT_THERE/d' -e 's/^CONFIG_HZ=.*/CONFIG_HZ=250/' "$RPM_SOURCE_DIR/config" >.config`
	k.spec = strings.NewReplacer(
		"%description\n", "Source1: config\n%description\n",
		"%files\n", "cp linux-%{KVERREL}/.config %{buildroot}/boot/config-%{KVERREL}\n%files\n/boot/config-%{KVERREL}\n",
	).Replace(k.spec)
	return k
}

// TestEndToEndConfig shows that the options of config: reach the kernel's configuration in
// the package.
func TestEndToEndConfig(t *testing.T) {
	begin(t)
	out := filepath.Join(t.TempDir(), "out")
	recipe := configured("{NET_9P: m, CONFIG_IPV6: n, HZ: 250}").write(t)
	if code, stdout, stderr := runCommand(t, "build", recipe, "-o", out); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	config := output(t, "sh", "-c", `rpm2cpio "$0" | cpio -i --quiet --to-stdout "./boot/config-*"`,
		filepath.Join(out, "RPMS", "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"))
	if config != "CONFIG_HZ=250\nCONFIG_NET_9P=m\n# CONFIG_IPV6 is not set\n" {
		t.Errorf("the package's configuration: %q", config)
	}
	nothingLeft(t)
}

func TestEndToEndConfigThatDoesNotStick(t *testing.T) {
	begin(t)
	out := filepath.Join(t.TempDir(), "out")
	recipe := configured("{NET_9P: m, NOT_THERE: y, HZ: 1000}").write(t)
	code, _, stderr := runCommand(t, "build", recipe, "-o", out)
	const where = " in /boot/config-2.6.32-431.3.1.namibuild.el6.x86_64 of kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"
	if want := "namibuild: CONFIG_NOT_THERE: want y, got n" + where + "; CONFIG_HZ: want 1000, got 250" + where + ", kept in " + filepath.Join(out, set.FailedRPMS) + "\nhint: Kconfig "; code != exitOutput || !strings.Contains(stderr, want) {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	left, err := os.ReadDir(out)
	if err != nil || len(left) != 2 || left[0].Name() != set.FailedRPMS || left[1].Name() != set.FailedLog {
		t.Errorf("left in the output directory: %v, %v", left, err)
	}
	nothingLeft(t)
}
