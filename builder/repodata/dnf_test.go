package repodata_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/hosttest"
	"namibuild/builder/repodata"
	"namibuild/builder/rpm/rpmtest"
)

// signedRepo makes a repository of two kernel packages, in which k signed everything.
func signedRepo(t *testing.T, k key) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range []rpmtest.Package{
		{Name: "kernel", Requires: []rpmtest.Require{{Name: "kernel-firmware", Flags: rpmtest.Greater | rpmtest.Equal, Version: "2.6.32-431.3.1.namibuild.el6"}},
			Files: []rpmtest.File{{Path: "/boot/vmlinuz", Content: "kernel"}}},
		{Name: "kernel-firmware", Files: []rpmtest.File{{Path: "/lib/firmware/x", Content: "firmware"}}},
	} {
		p.Version, p.Release, p.BuildTime, p.Sign = "2.6.32", "431.3.1.namibuild.el6", epoch, k.signature
		put(t, dir, "RPMS/"+p.Name+"-2.6.32-431.3.1.namibuild.el6.noarch.rpm", rpmtest.Build(p))
	}
	put(t, dir, "RPM-GPG-KEY-test", k.public(t))
	if _, err := repodata.Write(dir, repodata.Options{Sign: k.armored}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// dnf runs dnf on a root of its own, with only the repository at base.
func dnf(t *testing.T, root, base string, args ...string) (string, error) {
	t.Helper()
	page, err := repodata.Source{ID: "test", Name: "a test", BaseURL: base, Key: "RPM-GPG-KEY-test"}.File()
	if err != nil {
		t.Fatal(err)
	}
	put(t, root, "repos/test.repo", []byte(page))
	put(t, root, "log/hawkey.log", nil)
	hosttest.Root(t)
	cmd := exec.Command(hosttest.Program(t, "dnf"), append([]string{"-y", "--installroot", filepath.Join(root, "root"), "--releasever", "6", "--forcearch", "x86_64",
		"--setopt=reposdir=" + filepath.Join(root, "repos"), "--setopt=cachedir=" + filepath.Join(root, "cache"),
		"--setopt=logdir=" + filepath.Join(root, "log"), "--setopt=persistdir=" + filepath.Join(root, "state"), "--noplugins"}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestDnfInstalls checks that dnf installs from a folder and over HTTP, and checks
// packages and index with the key.
func TestDnfInstalls(t *testing.T) {
	k := newKey(t)
	dir := signedRepo(t, k)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	for name, base := range map[string]string{"file": "file://" + dir, "http": server.URL} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if out, err := dnf(t, root, base, "install", "kernel"); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			list := run(t, root, "rpm", "--root", filepath.Join(root, "root"), "-qa", "--qf", "%{NEVRA} %{RSAHEADER:pgpsig}\n", "kernel*")
			if n := strings.Count(list, "2.6.32-431.3.1.namibuild.el6.noarch RSA/SHA256, "); n != 2 {
				t.Errorf("installed: %s", list)
			}
			for _, file := range []string{"boot/vmlinuz", "lib/firmware/x"} {
				if _, err := os.Stat(filepath.Join(root, "root", file)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestDnfRefuses checks that dnf refuses an index, a list or a package that was changed,
// and the signature of another key.
func TestDnfRefuses(t *testing.T) {
	k := newKey(t)
	for name, c := range map[string]struct {
		says   string
		change func(t *testing.T, dir string)
	}{
		"index": {"Bad GPG signature", func(t *testing.T, dir string) {
			flip(t, filepath.Join(dir, "repodata/repomd.xml"), "<revision>1389830400", "<revision>1389830401")
		}},
		"list": {"checksum doesn't match", func(t *testing.T, dir string) {
			path := glob(t, filepath.Join(dir, "repodata/*-primary.xml.gz"))[0]
			put(t, dir, "repodata/"+filepath.Base(path), []byte("short"))
		}},
		"package": {"has incorrect checksum", func(t *testing.T, dir string) {
			put(t, dir, "RPMS/kernel-2.6.32-431.3.1.namibuild.el6.noarch.rpm", rpmtest.Build(kernel))
		}},
		"another key's index": {"Bad GPG signature", func(t *testing.T, dir string) {
			if _, err := repodata.Write(dir, repodata.Options{Sign: newKey(t).armored}); err != nil {
				t.Fatal(err)
			}
		}},
		"unsigned package": {"is not signed", func(t *testing.T, dir string) {
			put(t, dir, "RPMS/kernel-2.6.32-431.3.1.namibuild.el6.noarch.rpm", rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32",
				Release: "431.3.1.namibuild.el6", Files: []rpmtest.File{{Path: "/boot/vmlinuz", Content: "kernel"}}}))
			if _, err := repodata.Write(dir, repodata.Options{Sign: k.armored}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, root := signedRepo(t, k), t.TempDir()
			c.change(t, dir)
			out, err := dnf(t, root, "file://"+dir, "install", "kernel")
			if err == nil || !strings.Contains(out, c.says) {
				t.Errorf("%v, want %q: %s", err, c.says, out)
			}
			if _, err := os.Stat(filepath.Join(root, "root/boot/vmlinuz")); err == nil {
				t.Error("the kernel is there")
			}
			if _, err := repodata.Verify(dir, k.check, nil); (err == nil) != (name == "unsigned package") {
				t.Errorf("Verify says %v", err)
			}
		})
	}
}

// flip replaces a text that must occur once.
func flip(t *testing.T, path, from, to string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(data), from) != 1 {
		t.Fatalf("%s: no single %q", path, from)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), from, to, 1)), 0o666); err != nil {
		t.Fatal(err)
	}
}
