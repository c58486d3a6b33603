package artifact

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// setOf writes packages with these files, by the names of the packages.
func setOf(t *testing.T, packages map[string][]rpmtest.File) Set {
	t.Helper()
	set := Set{Dir: t.TempDir()}
	for _, name := range []string{"devel", "kernel", "kernel-core", "kernel-debug"} {
		files, ok := packages[name]
		if !ok {
			continue
		}
		data := rpmtest.Build(rpmtest.Package{Name: name, Version: "1", Release: "1", Payload: "xz", Files: files})
		if err := os.WriteFile(filepath.Join(set.Dir, name+".rpm"), data, 0o666); err != nil {
			t.Fatal(err)
		}
		set.RPMs = append(set.RPMs, RPM{File: name + ".rpm"})
	}
	return set
}

func TestCheckConfig(t *testing.T) {
	const good = "#\n# Linux\n#\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_N=0x10\nCONFIG_S=\"a b\"\n"
	options := []recipe.Option{{Name: "CONFIG_A", Value: "y"}, {Name: "CONFIG_B", Value: "n"}, {Name: "CONFIG_N", Value: "16"},
		{Name: "CONFIG_S", Value: `"a b"`}, {Name: "CONFIG_GONE", Value: "n"}}
	text := func(path, content string) rpmtest.File { return rpmtest.File{Path: path, Content: content} }
	vmlinuz := text("/boot/vmlinuz-1", "x")
	wrong := func(i int, got, path, file string) WrongOption { return WrongOption{options[i], got, path, file} }
	for name, c := range map[string]struct {
		packages map[string][]rpmtest.File
		want     *ConfigError
	}{
		"el6": {map[string][]rpmtest.File{"kernel": {text("/boot/config-1", good), vmlinuz}, "devel": {text("/usr/src/kernels/1/.config", "")}}, nil},
		"el8": {map[string][]rpmtest.File{"kernel": {}, "kernel-core": {
			{Path: "/boot/config-1", Flags: rpm.FlagGhost}, text("/lib/modules/1/config", good)}}, nil},
		"debug": {map[string][]rpmtest.File{"kernel": {text("/boot/config-1", good), vmlinuz}, "kernel-debug": {text("/boot/config-1.debug", "CONFIG_A=m\nCONFIG_B=y\n")}},
			&ConfigError{[]WrongOption{wrong(0, "m", "/boot/config-1.debug", "kernel-debug.rpm"), wrong(1, "y", "/boot/config-1.debug", "kernel-debug.rpm"),
				wrong(2, "n", "/boot/config-1.debug", "kernel-debug.rpm"), wrong(3, "n", "/boot/config-1.debug", "kernel-debug.rpm")}}},
		"no configuration": {map[string][]rpmtest.File{"kernel": {vmlinuz, text("/lib/modules/1/kernel/config", good)}}, &ConfigError{}},
		"a link":           {map[string][]rpmtest.File{"kernel": {{Path: "/boot/config-1", Linkname: "config-2"}}}, &ConfigError{}},
	} {
		err := setOf(t, c.packages).CheckConfig(options)
		var got *ConfigError
		errors.As(err, &got)
		if diff := cmp.Diff(c.want, got); diff != "" || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if err := (Set{}).CheckConfig(nil); err != nil {
		t.Error("without options: ", err)
	}
}

func TestConfigErrorText(t *testing.T) {
	e := &ConfigError{[]WrongOption{
		{recipe.Option{Name: "CONFIG_A", Value: "y"}, "n", "/boot/config-1", "kernel-1.rpm"},
		{recipe.Option{Name: "CONFIG_S", Value: `"a"`}, `"b"`, "/boot/config-1", "kernel-1.rpm"},
	}}
	const want = `CONFIG_A: want y, got n in /boot/config-1 of kernel-1.rpm; CONFIG_S: want "a", got "b" in /boot/config-1 of kernel-1.rpm`
	if got := e.Error(); got != want {
		t.Error(got)
	}
}

// TestCheckConfigBroken checks that a package which cannot be read is an error, but
// no *ConfigError.
func TestCheckConfigBroken(t *testing.T) {
	set := setOf(t, map[string][]rpmtest.File{"kernel": {{Path: "/boot/config-1", Content: "CONFIG_A=y\n"}}})
	name := filepath.Join(set.Dir, "kernel.rpm")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 100, len(data) - 40} {
		if err := os.WriteFile(name, data[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		err := set.CheckConfig([]recipe.Option{{Name: "CONFIG_A", Value: "y"}})
		if err == nil || errors.As(err, new(*ConfigError)) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
