package source_test

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/source"
)

func md5Of(s string) string    { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
func sha256Of(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

func TestDescribe(t *testing.T) {
	files := []rpmtest.File{{Path: "kernel.spec", Content: "Name: kernel\n", Flags: rpm.FlagSpecfile}, {Path: "a.patch", Content: "--- a\n"}}
	pkg := rpmtest.Package{Name: "kernel", Version: "1", Release: "2", Arch: "x86_64", Source: true, Files: files}
	nevra := rpm.NEVRA{Name: "kernel", Version: "1", Release: "2", Arch: "src"}
	vendor := func(all []rpm.Value) []rpm.Value { return append(all, rpm.StringValue(rpm.TagVendor, "CentOS")) }
	tests := map[string]struct {
		change func(*rpmtest.Package)
		want   source.Contents
	}{
		"today": {func(p *rpmtest.Package) { p.Change = vendor }, source.Contents{Package: nevra, License: "none", Vendor: "CentOS", Files: []source.Content{
			{File: "a.patch", Size: 6, Algorithm: "sha256", Digest: sha256Of("--- a\n")},
			{File: "kernel.spec", Size: 13, Algorithm: "sha256", Digest: sha256Of("Name: kernel\n")}}}},
		"el6": {func(p *rpmtest.Package) { p.Legacy = true }, source.Contents{Package: nevra, License: "none", Files: []source.Content{
			{File: "a.patch", Size: 6, Algorithm: "md5", Digest: md5Of("--- a\n")},
			{File: "kernel.spec", Size: 13, Algorithm: "md5", Digest: md5Of("Name: kernel\n")}}}},
	}
	for name, test := range tests {
		p := pkg
		test.change(&p)
		file := filepath.Join(t.TempDir(), "kernel.src.rpm")
		if err := os.WriteFile(file, rpmtest.Build(p), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := source.Describe(at(t, file), recipe.Tarball{})
		if d := cmp.Diff(test.want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
	_, err := source.Describe(source.Files{Name: "empty.src.rpm", SRPM: strings.NewReader("")}, recipe.Tarball{})
	if err == nil || !strings.HasPrefix(err.Error(), "describing empty.src.rpm: ") {
		t.Errorf("an empty file: %v", err)
	}

	left, err := source.Describe(at(t, write(t, pkg), write(t, pkg)), recipe.Tarball{URL: "https://example.org/linux-6.6.tar.xz", SHA256: strings.Repeat("ab", 32)})
	if last := left.Files[len(left.Files)-1]; err != nil || len(left.Files) != 3 || last.File != "linux-6.6.tar.xz" || last.Algorithm != "sha256" || last.Digest != strings.Repeat("ab", 32) || last.Size == 0 {
		t.Errorf("a tarball beside the SRPM: %+v, %v", left.Files, err)
	}
	_, err = source.Describe(at(t, write(t, pkg)), recipe.Tarball{URL: "https://example.org/linux-6.6.tar.xz"})
	if err == nil || !strings.HasSuffix(err.Error(), ": the content of linux-6.6.tar.xz is missing") {
		t.Errorf("a tarball without content: %v", err)
	}
}
