package plan

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"namibuild"
	"namibuild/builder/recipe"
)

func shipped() fstest.MapFS {
	return fstest.MapFS{
		"Dockerfile.centos6":         {Data: []byte("FROM scratch\n")},
		"images/common/rpmbuild.sh":  {Data: []byte("#!/bin/sh\n")},
		"images/centos6/key":         {Data: []byte("key")},
		"images/debian12/Dockerfile": {Data: []byte("FROM debian\n")},
		"images/rocky8/Dockerfile":   {Data: []byte("FROM rockylinux\n")},
		"images/el/install.sh":       {Data: []byte("#!/bin/bash\n")},
		"recipes/demo.yaml":          {Data: []byte("name: demo\n")},
	}
}

func TestEveryImageOfARecipeIsKnown(t *testing.T) {
	if d := cmp.Diff(slices.Sorted(slices.Values(recipe.Images())), slices.Sorted(maps.Keys(kinds))); d != "" {
		t.Errorf("-recipe +plan\n%s", d)
	}
}

func TestDefineImage(t *testing.T) {
	tests := []struct {
		name, dockerfile string
		paths            []string
		mine, others     []string // files on which the digest must depend, and must not
	}{
		{"centos6", "Dockerfile.centos6", []string{"images/common", "images/centos6"},
			[]string{"Dockerfile.centos6", "images/common/rpmbuild.sh", "images/centos6/key"},
			[]string{"images/debian12/Dockerfile", "recipes/demo.yaml"}},
		{"debian12", "images/debian12/Dockerfile", []string{"images/common", "images/debian12"},
			[]string{"images/common/rpmbuild.sh", "images/debian12/Dockerfile"},
			[]string{"Dockerfile.centos6", "images/centos6/key", "images/el/install.sh", "recipes/demo.yaml"}},
		{"rocky8", "images/rocky8/Dockerfile", []string{"images/common", "images/rocky8", "images/el"},
			[]string{"images/common/rpmbuild.sh", "images/rocky8/Dockerfile", "images/el/install.sh"},
			[]string{"Dockerfile.centos6", "images/debian12/Dockerfile", "recipes/demo.yaml"}},
	}
	for _, test := range tests {
		image := mustDefine(t, shipped(), test.name)
		got := []any{image.Name, image.Dockerfile, image.Paths}
		if d := cmp.Diff([]any{test.name, test.dockerfile, test.paths}, got); d != "" {
			t.Errorf("%s: -want +got\n%s", test.name, d)
		}
		for _, file := range append(slices.Clone(test.mine), test.others...) {
			files := shipped()
			files[file] = &fstest.MapFile{Data: []byte("changed")}
			changed := mustDefine(t, files, test.name).Digest != image.Digest
			if changed != slices.Contains(test.mine, file) {
				t.Errorf("%s: changing %s changes the digest: %v", test.name, file, changed)
			}
		}
	}
}

func TestDefineImageErrors(t *testing.T) {
	without := shipped()
	delete(without, "Dockerfile.centos6")
	for name, want := range map[string]string{
		"centos6":    "reading the definition of image centos6: open Dockerfile.centos6: file does not exist",
		"../centos6": `no such image: "../centos6", must be one of centos6, centos7, debian12, rocky8, rocky9`,
		"":           `no such image: "", must be one of centos6, centos7, debian12, rocky8, rocky9`,
	} {
		if _, err := DefineImage(without, name); err == nil || err.Error() != want {
			t.Errorf("%q: got %v\nwant %s", name, err, want)
		}
	}
}

func mustDefine(t *testing.T, files fstest.MapFS, name string) Image {
	t.Helper()
	image, err := DefineImage(files, name)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// TestImageDigestOfPinsAndVary checks, on the files that come with namibuild,
// that a changed byte in a pin makes another image and plan, and that one in a
// library of a varied build does not: a lock would refuse it.
func TestImageDigestOfPinsAndVary(t *testing.T) {
	build := func(changed string) (digest, id string) {
		files := fstest.MapFS{}
		for _, root := range []string{"Dockerfile.centos6", "images"} {
			err := fs.WalkDir(namibuild.Files, root, func(name string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				data, err := fs.ReadFile(namibuild.Files, name)
				if name == changed {
					data = append(data, '\n')
				}
				files[name] = &fstest.MapFile{Data: data}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if changed != "" && files[changed] == nil {
			t.Fatalf("there is no %s", changed)
		}
		image := mustDefine(t, files, "centos6")
		in := facts()
		in.Image, in.Files = image.Digest, image.Sums
		return image.Digest, mustNew(t, timewait(), in).ID()
	}
	digest, id := build("")
	for file, counts := range map[string]bool{
		"images/common/pins/clock.c": true, "images/common/pins/stat.c": true, "images/common/pins/order.c": true,
		"images/vary/date.c": false, "images/vary/shuffle.c": false, "images/vary/preload.sh": false,
	} {
		gotDigest, gotID := build(file)
		if gotDigest != digest != counts || gotID != id != counts {
			t.Errorf("a changed byte in %s makes another digest: %v, another plan: %v; want %v", file, gotDigest != digest, gotID != id, counts)
		}
	}
}

// TestTreeDigest checks that trees which differ in paths, contents or executable bits
// have different digests.
func TestTreeDigest(t *testing.T) {
	seen := map[string]int{}
	for i, tree := range []fstest.MapFS{
		{},
		{"a": {Data: []byte("1")}},
		{"a": {Data: []byte("2")}},
		{"b": {Data: []byte("1")}},
		{"a": {Data: []byte("1"), Mode: 0o755}},
		{"a/b": {Data: []byte("1")}},
		{"a": {}, "b": {Data: []byte("1")}},
		{"a": {Data: []byte("\"b\" false 1\n1")}},
		{"a": {}, "b\" false 1\n1": {}},
	} {
		digest, err := TreeDigest(tree)
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := seen[digest]; twice {
			t.Errorf("trees %d and %d have the same digest", other, i)
		}
		seen[digest] = i
	}
}

// TestTreeDigestOfADisk checks that a folder of the host has the digest of the same
// files in the binary, whatever the umask was, and that a link is an error.
func TestTreeDigestOfADisk(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := TreeDigest(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := TreeDigest(fstest.MapFS{"a": {Data: []byte("1"), Mode: 0o444}}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := os.Symlink("a", filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if _, err := TreeDigest(os.DirFS(dir)); err == nil || !strings.Contains(err.Error(), "b is not a regular file") {
		t.Errorf("a link: got %v", err)
	}
}
