package repodata_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/durable"
	"namibuild/builder/repodata"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// kernel is a small package in the form of EL6.
var kernel = rpmtest.Package{
	Name: "kernel", Version: "2.6.32", Release: "431.3.1.namibuild.el6", Arch: "x86_64", BuildTime: 1389830400,
	Files: []rpmtest.File{
		{Path: "/boot/vmlinuz-2.6.32-431.3.1.namibuild.el6.x86_64", Content: "kernel"},
		{Path: "/boot/initramfs-2.6.32-431.3.1.namibuild.el6.x86_64.img", Flags: rpm.FlagGhost},
		{Path: "/etc/ld.so.conf.d/kernel-2.6.32-431.3.1.namibuild.el6.x86_64.conf", Content: "# nothing\n", Flags: rpm.FlagConfig},
		{Path: "/lib/modules/2.6.32-431.3.1.namibuild.el6.x86_64", Mode: 0o40755},
		{Path: "/lib/modules/2.6.32-431.3.1.namibuild.el6.x86_64/build", Linkname: "/usr/src/kernels/2.6.32"},
		{Path: "/usr/sbin/new-kernel-<pkg>&\"'", Content: "#!/bin/sh\n", Mode: 0o100755},
	},
	Requires: []rpmtest.Require{
		{Name: "/etc/ld.so.conf.d/kernel-2.6.32-431.3.1.namibuild.el6.x86_64.conf"},
		{Name: "/sbin/new-kernel-pkg", Flags: uint32(rpm.SenseScriptPost)},
		{Name: "/sbin/new-kernel-pkg", Flags: uint32(rpm.SenseScriptPost)},
		{Name: "grubby", Flags: uint32(rpm.SenseScriptPre) | rpmtest.Greater | rpmtest.Equal, Version: "0:7.0.4-1"},
		{Name: "kernel", Flags: rpmtest.Equal, Version: "2.6.32-431.3.1.namibuild.el6"},
		{Name: "kernel-firmware", Flags: rpmtest.Greater | rpmtest.Equal, Version: "2.6.32-431.3.1.namibuild.el6"},
		{Name: "libc.so.6()(64bit)"},
		{Name: "libc.so.6(GLIBC_2.14)(64bit)"},
		{Name: "libc.so.6(GLIBC_2.2.5)(64bit)"},
		{Name: "libc.so.6(GLIBC_2.4)(64bit)"},
		{Name: "logrotate", Flags: uint32(rpm.SenseMissingOK)},
		{Name: "prelink", Flags: uint32(rpm.SensePrereq)},
		{Name: "udev", Flags: rpmtest.Less, Version: "147-2.a-b"},
		{Name: "udev", Flags: rpmtest.Greater, Version: "1:095-14.27"},
	},
	Change: func(v []rpm.Value) []rpm.Value {
		return append(v,
			rpm.StringsValue(rpm.TagConflictName, "ext4-progs", "iwl<5>"),
			rpm.StringsValue(rpm.TagConflictVersion, "1.2", ""),
			rpm.Int32Value(rpm.TagConflictFlags, rpmtest.Less|rpmtest.Equal, 0),
			rpm.StringsValue(rpm.TagObsoleteName, "kernel-smp"),
			rpm.StringsValue(rpm.TagObsoleteVersion, "2.6.20-1"),
			rpm.Int32Value(rpm.TagObsoleteFlags, rpmtest.Less),
			rpm.StringValue(rpm.TagVendor, "n & m"),
			rpm.StringValue(rpm.TagURL, "http://example.org/?a=1&b=2"),
			rpm.StringValue(rpm.TagPackager, "A <a@example.org>"),
			rpm.Int32Value(rpm.TagChangelogTime, 1389787200, 1389700800, 1389700800, 1389700800, 1389614400, 1389614400,
				1389528000, 1389441600, 1389355200, 1389268800, 1389182400, 1389096000),
			rpm.StringsValue(rpm.TagChangelogName, "A <a@example.org> 12  ", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"),
			rpm.StringsValue(rpm.TagChangelogText, "- one\n- two & three", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"),
		)
	},
}

// latin1 adds texts that are not UTF-8, as in old packages.
func latin1(v []rpm.Value) []rpm.Value {
	return append(v, rpm.StringValue(rpm.TagPackager, "J\xf6rg"), rpm.StringValue(rpm.TagVendor, "\xc9diteur"))
}

// small makes a folder of one package that was built at epoch.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "RPMS/kernel.rpm", rpmtest.Build(kernel))
	for _, name := range []string{".part/a.rpm", "failed.RPMS/a.rpm", "RPMS/.b.rpm", "RPMS/notes.txt"} { // none of it belongs to it
		put(t, dir, name, []byte("no package"))
	}
	return dir
}

// tree returns the content of every file below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		all[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWriteRepeats checks that equal packages give equal bytes, including the signature,
// in another folder, in another order and at another time. Without an epoch the time is
// the build time of the newest package.
func TestWriteRepeats(t *testing.T) {
	k := newKey(t)
	first, second := t.TempDir(), t.TempDir()
	madePackages(t, first)
	for path, data := range tree(t, first) {
		put(t, second, path, []byte(data))
	}
	setTimes(t, second)
	for _, dir := range []string{first, second, second} {
		repo, err := repodata.Write(dir, repodata.Options{Sign: k.armored})
		if err != nil {
			t.Fatal(err)
		}
		if repo.Revision != epoch || !repo.Signed || len(repo.Packages) != 4 {
			t.Errorf("got %+v", repo)
		}
		again, err := repodata.Verify(dir, k.check, nil)
		if diff := cmp.Diff(repo, again); diff != "" || err != nil {
			t.Errorf("Verify: %v: %s", err, diff)
		}
	}
	if diff := cmp.Diff(tree(t, first), tree(t, second)); diff != "" {
		t.Error(diff)
	}
}

// TestWriteFails checks that an error leaves the old files and nothing else.
func TestWriteFails(t *testing.T) {
	broken := rpmtest.Build(kernel)
	broken[len(broken)-9] ^= 1
	refused := errors.New("the key is locked")
	for name, c := range map[string]struct {
		change func(dir string)
		sign   func([]byte) ([]byte, error)
		want   string
	}{
		"broken package": {func(dir string) { put(t, dir, "RPMS/b.rpm", broken) }, nil, "reading RPMS/b.rpm: verifying package: "},
		"no package":     {func(dir string) { put(t, dir, "b.rpm", []byte("hello")) }, nil, "reading b.rpm: "},
		"twice": {func(dir string) { put(t, dir, "more/b.rpm", rpmtest.Build(kernel)) }, nil,
			"reading packages: RPMS/kernel.rpm and more/b.rpm are the same package, kernel-2.6.32-431.3.1.namibuild.el6.x86_64"},
		"signer fails": {func(string) {}, func([]byte) ([]byte, error) { return nil, refused }, "signing repomd.xml: the key is locked"},
		"bad epoch": {func(dir string) {
			put(t, dir, "RPMS/c.rpm", rpmtest.Build(rpmtest.Package{Name: "c", Version: "1", Release: "1",
				Requires: []rpmtest.Require{{Name: "x", Flags: rpmtest.Equal, Version: "a:1"}}}))
		}, nil, `reading RPMS/c.rpm: dependency x: "a:1" has no number as its epoch`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := small(t)
			if _, err := repodata.Write(dir, repodata.Options{}); err != nil {
				t.Fatal(err)
			}
			c.change(dir)
			before := tree(t, dir)
			_, err := repodata.Write(dir, repodata.Options{Sign: c.sign, Epoch: 1})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWriteRefusesFolders checks which folders are refused.
func TestWriteRefusesFolders(t *testing.T) {
	dir := t.TempDir()
	if _, err := repodata.Write(dir, repodata.Options{}); err == nil || err.Error() != "looking for packages: "+dir+" has no *.rpm" {
		t.Errorf("empty: %v", err)
	}
	if _, err := repodata.Write(filepath.Join(dir, "absent"), repodata.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	locked := small(t)
	u, err := durable.Open(locked)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if _, err := repodata.Write(locked, repodata.Options{}); !errors.As(err, new(*durable.BusyError)) {
		t.Errorf("locked: %v", err)
	}
}

// TestWriteAfterKill checks that what a killed process left is removed, and the old
// repodata stays.
func TestWriteAfterKill(t *testing.T) {
	dir := small(t)
	if _, err := repodata.Write(dir, repodata.Options{}); err != nil {
		t.Fatal(err)
	}
	want := tree(t, dir)
	put(t, dir, ".part/repodata/repomd.xml", []byte("half"))
	if _, err := repodata.Write(dir, repodata.Options{Sign: func([]byte) ([]byte, error) { return nil, errors.New("no") }}); err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestWriteCleansTexts checks that texts of any bytes become XML: ISO 8859-1 is
// converted, and control characters are removed.
func TestWriteCleansTexts(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.rpm", rpmtest.Build(rpmtest.Package{Name: "a", Version: "1", Release: "1", Change: func(v []rpm.Value) []rpm.Value {
		return append(v, rpm.StringValue(rpm.TagPackager, "a\x01b\x1b[31m\tc\u0085d\uffff"), rpm.StringValue(rpm.TagVendor, "\xa9 J\xf6rg\x80"))
	}}))
	if _, err := repodata.Write(dir, repodata.Options{}); err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	var collect func(n node)
	collect = func(n node) {
		text[n.Name.Local] = n.Text
		for _, k := range n.Kids {
			collect(k)
		}
	}
	collect(parseList(t, dir, "primary"))
	if text["packager"] != "ab[31m\tcd\ufffd" || text["vendor"] != "© Jörg" {
		t.Errorf("packager %q, vendor %q", text["packager"], text["vendor"])
	}
}

// TestSourceFile checks .repo files, and which fields are refused.
func TestSourceFile(t *testing.T) {
	for _, c := range []struct {
		source    repodata.Source
		want, err string
	}{
		{repodata.Source{ID: "namibuild-1.2", Name: "Kernels of ours", BaseURL: "https://example.org/el6/$basearch/", Key: "RPM-GPG-KEY-ours"},
			"[namibuild-1.2]\nname=Kernels of ours\nbaseurl=https://example.org/el6/$basearch/\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n" +
				"gpgkey=https://example.org/el6/$basearch/RPM-GPG-KEY-ours\n", ""},
		{repodata.Source{ID: "x", Name: "X", BaseURL: "file:///srv/x"},
			"[x]\nname=X\nbaseurl=file:///srv/x/\nenabled=1\ngpgcheck=0\nrepo_gpgcheck=0\n", ""},
		{source: repodata.Source{ID: "a b", Name: "X", BaseURL: "file:///srv/x"}, err: `"a b"`},
		{source: repodata.Source{Name: "X", BaseURL: "file:///srv/x"}, err: "the ID must consist of letters"},
		{source: repodata.Source{ID: "x", Name: "X\ngpgcheck=0", BaseURL: "file:///srv/x"}, err: "the name must be one line"},
		{source: repodata.Source{ID: "x", Name: "X", BaseURL: "/srv/x"}, err: `"/srv/x" is not the http, https, ftp or file URL of a folder`},
		{source: repodata.Source{ID: "x", Name: "X", BaseURL: "http:///x"}, err: "is not the http"},
		{source: repodata.Source{ID: "x", Name: "X", BaseURL: "http://h/x\nenabled=0"}, err: "is not the http"},
	} {
		got, err := c.source.File()
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%+v: got %q, %v", c.source, got, err)
		}
	}
}
