package repodata_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/repodata"
	"namibuild/builder/rpm/rpmtest"
)

// TestVerifyFinds checks that every kind of damage is found.
func TestVerifyFinds(t *testing.T) {
	const index = "repodata/repomd.xml"
	list := func(dir, name string) string { return glob(t, filepath.Join(dir, "repodata", "*-"+name+".xml.gz"))[0] }
	for name, c := range map[string]struct {
		change func(dir string) error
		want   string
	}{
		"no repodata":     {func(dir string) error { return os.RemoveAll(filepath.Join(dir, "repodata")) }, "repomd.xml: no such file"},
		"index no XML":    {func(dir string) error { return os.WriteFile(filepath.Join(dir, index), []byte("<repomd>"), 0o666) }, "repomd.xml: XML syntax error"},
		"index too large": {func(dir string) error { return os.Truncate(filepath.Join(dir, index), 1<<20+1) }, "more than 1048576 bytes"},
		"list missing":    {func(dir string) error { return os.Remove(list(dir, "other")) }, "list other: open "},
		"list cut":        {func(dir string) error { return os.Truncate(list(dir, "filelists"), 20) }, "list filelists: "},
		"list not named": {func(dir string) error {
			flip(t, filepath.Join(dir, index), `"filelists"`, `"filelist"`)
			return nil
		}, "names no list filelists"},
		"open size": {func(dir string) error {
			flip(t, filepath.Join(dir, index), "</open-size>\n  </data>\n  <data type=\"other\">", "0</open-size>\n  </data>\n  <data type=\"other\">")
			return nil
		}, "decompressed: "},
		"list elsewhere": {func(dir string) error {
			flip(t, filepath.Join(dir, index), "repodata/"+filepath.Base(list(dir, "other")), "repodata/../../etc/passwd")
			return nil
		}, `location "repodata/../../etc/passwd" is not in repodata`},
		"package gone": {func(dir string) error {
			put(t, dir, "RPMS/a.rpm", rpmtest.Build(rpmtest.Package{Name: "a", Version: "1", Release: "1"}))
			if _, err := repodata.Write(dir, repodata.Options{}); err != nil {
				return err
			}
			return os.Remove(filepath.Join(dir, "RPMS/a.rpm"))
		}, "RPMS/a.rpm is in the list, but missing"},
		"package new": {func(dir string) error {
			put(t, dir, "RPMS/a.rpm", rpmtest.Build(rpmtest.Package{Name: "a", Version: "1", Release: "1"}))
			return nil
		}, "RPMS/a.rpm is not in the list"},
		"package changed": {func(dir string) error {
			changed := kernel
			changed.BuildTime++
			put(t, dir, "RPMS/kernel.rpm", rpmtest.Build(changed))
			return nil
		}, "RPMS/kernel.rpm is kernel-2.6.32-431.3.1.namibuild.el6.x86_64 of "},
		"package damaged": {func(dir string) error { return os.Truncate(filepath.Join(dir, "RPMS/kernel.rpm"), 1000) }, "reading RPMS/kernel.rpm: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := small(t)
			if _, err := repodata.Write(dir, repodata.Options{}); err != nil {
				t.Fatal(err)
			}
			if err := c.change(dir); err != nil {
				t.Fatal(err)
			}
			_, err := repodata.Verify(dir, nil, nil)
			if err == nil || !strings.HasPrefix(err.Error(), "verifying the repository: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestVerifySignature checks what Verify says about signatures.
func TestVerifySignature(t *testing.T) {
	k, other := newKey(t), newKey(t)
	dir := small(t)
	if _, err := repodata.Write(dir, repodata.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := repodata.Verify(dir, k.check, nil); !errors.Is(err, repodata.ErrNotSigned) {
		t.Errorf("got %v, want ErrNotSigned", err)
	}
	if _, err := repodata.Write(dir, repodata.Options{Sign: k.armored}); err != nil {
		t.Fatal(err)
	}
	if repo, err := repodata.Verify(dir, nil, nil); err != nil || !repo.Signed {
		t.Errorf("got %v, %v", repo, err)
	}
	if _, err := repodata.Verify(dir, other.check, nil); err == nil || !strings.Contains(err.Error(), "repomd.xml.asc: ") {
		t.Errorf("got %v", err)
	}
}

// TestGPGTakesSignature checks that gpg, which yum uses, accepts the signature.
func TestGPGTakesSignature(t *testing.T) {
	dir, home := signedRepo(t, newKey(t)), t.TempDir()
	run(t, dir, "gpg", "--homedir", home, "--batch", "--import", "RPM-GPG-KEY-test")
	run(t, dir, "gpg", "--homedir", home, "--batch", "--verify", "repodata/repomd.xml.asc", "repodata/repomd.xml")
}

// TestVerifyCreaterepo checks that repositories of createrepo_c pass, too.
func TestVerifyCreaterepo(t *testing.T) {
	dir := t.TempDir()
	madePackages(t, dir)
	run(t, dir, "createrepo_c", "-q", "--general-compress-type=gz", "--no-database", ".")
	if repo, err := repodata.Verify(dir, nil, nil); err != nil || len(repo.Packages) != 4 {
		t.Errorf("got %v, %v", repo, err)
	}
}

// FuzzVerifyIndex checks that Verify does not panic, whatever the index says, and accepts
// only an index of the packages in the folder.
func FuzzVerifyIndex(f *testing.F) {
	dir := f.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "RPMS"), 0o777),
		os.WriteFile(filepath.Join(dir, "RPMS/kernel.rpm"), rpmtest.Build(kernel), 0o666)); err != nil {
		f.Fatal(err)
	}
	if _, err := repodata.Write(dir, repodata.Options{}); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(dir, "repodata/repomd.xml")
	page, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(page)
	f.Add([]byte(strings.Replace(string(page), "repodata/", "repodata/../RPMS/", 1)))
	f.Fuzz(func(t *testing.T, page []byte) {
		if err := os.WriteFile(path, page, 0o666); err != nil {
			t.Fatal(err)
		}
		if repo, err := repodata.Verify(dir, nil, nil); err == nil && (len(repo.Packages) != 1 || repo.Packages[0].Path != "RPMS/kernel.rpm") {
			t.Errorf("took %+v", repo)
		}
	})
}
