package set_test

import (
	"encoding/json"
	"errors"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/buildertest"
	"namibuild/builder/buildroot"
	"namibuild/builder/kerneltest"
	"namibuild/builder/set"
)

const kernelRPM = "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"

// TestOpen checks what Open reads of the set that a build made, by every path of it.
func TestOpen(t *testing.T) {
	dir := buildertest.Locked(t, kerneltest.Page)
	root, err := buildroot.Parse([]byte(kerneltest.RootList))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, set.RPMS), dir + "/"} {
		s, err := set.Open(path)
		if err == nil {
			err = s.Built()
		}
		if err != nil {
			t.Fatal(err)
		}
		if s.Kind != set.Output || s.Dir != dir || s.Packages != filepath.Join(dir, set.RPMS) || len(s.RPMs) != 1 || s.RPMs[0].File != kernelRPM {
			t.Errorf("%s: %+v", path, s.Place)
		}
		var names []string
		for _, f := range s.Files {
			names = append(names, f.Name)
		}
		if want := []string{"build.json", "build.log", "buildroot.json", "changes.diff", "timewait.lock"}; !slices.Equal(want, names) {
			t.Errorf("%s: files %q", path, names)
		}
		got, err := s.Root()
		if diff := cmp.Diff(root, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", path, err, diff)
		}
		if diff, err := s.ChangesDiff(); !strings.Contains(diff, "(5*HZ)") || err != nil {
			t.Errorf("changes %q, %v", diff, err)
		}
		if why, err := s.Files.Unlocked(*s.Record); why != "" || err != nil {
			t.Errorf("not locked: %s, %v", why, err)
		}
	}
	s, err := set.Open(filepath.Join(dir, set.RPMS, kernelRPM))
	if err != nil || s.Kind != set.Single || s.Dir != dir || s.Record != nil || len(s.Files) != 0 {
		t.Errorf("a single package: %+v, %v", s, err)
	}
}

// TestOpenErrors checks what Open says of sets that are damaged, and what their methods
// say.
func TestOpenErrors(t *testing.T) {
	tests := map[string]struct {
		spoil func(dir string) error
		want  string
		is    any
	}{
		"no set":         {func(dir string) error { return os.RemoveAll(dir) }, "no such file or folder", new(*set.PathError)},
		"no packages":    {func(dir string) error { return os.RemoveAll(filepath.Join(dir, set.RPMS)) }, "no package, neither in it nor in its folder RPMS", new(*set.PathError)},
		"no record":      {func(dir string) error { return os.Remove(filepath.Join(dir, set.RecordFile)) }, "it has no build.json", nil},
		"damaged":        {func(dir string) error { return os.Truncate(filepath.Join(dir, set.RPMS, kernelRPM), 500) }, "reading " + kernelRPM + ": ", nil},
		"other packages": {func(dir string) error { return change(dir, "packages", []any{}) }, kernelRPM + " is not as the build made it", new(*set.OtherPackagesError)},
		"no build root":  {func(dir string) error { return os.Remove(filepath.Join(dir, set.BuildRootFile)) }, "buildroot.json is missing", new(*set.StaleError)},
		"one bit":        {func(dir string) error { return flip(filepath.Join(dir, set.BuildRootFile)) }, "sha256 of buildroot.json got ", new(*set.StaleError)},
		"changes":        {func(dir string) error { return flip(filepath.Join(dir, set.ChangesFile)) }, "sha256 of changes.diff got ", new(*set.StaleError)},
		"half a record":  {func(dir string) error { return os.Truncate(filepath.Join(dir, set.RecordFile), 500) }, "build.json: unexpected end of JSON input", nil},
		"no root in it":  {func(dir string) error { return change(dir, "buildRoot", map[string]any{}) }, "an earlier version of namibuild made it", new(*set.StaleError)},
		"an older form":  {func(dir string) error { return change(dir, "form", 0) }, "build.json has form 0, this namibuild reads form 1: an earlier version", new(*set.FormError)},
		"a newer form":   {func(dir string) error { return change(dir, "form", 2) }, "build.json has form 2, this namibuild reads form 1: a newer namibuild made it", new(*set.FormError)},
	}
	for name, test := range tests {
		dir := buildertest.Build(t)
		if err := test.spoil(dir); err != nil {
			t.Fatal(err)
		}
		s, err := set.Open(dir)
		if err == nil {
			err = s.Built()
		}
		if err == nil {
			_, err = s.Root()
		}
		if err == nil {
			_, err = s.ChangesDiff()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || test.is != nil && !errors.As(err, test.is) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
}

// TestOpenRecorded checks that OpenRecorded returns what Open returns, and refuses
// packages whose names or sizes are not those of the record.
func TestOpenRecorded(t *testing.T) {
	dir := buildertest.Build(t)
	want, err := set.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := set.OpenRecorded(dir)
	if err != nil || !reflect.DeepEqual(want, got) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
	rpms := filepath.Join(dir, set.RPMS)
	for _, test := range []struct {
		name  string
		spoil func() error
	}{
		{"one more", func() error { return os.WriteFile(filepath.Join(rpms, "more.rpm"), nil, 0o666) }},
		{"another name", func() error { return os.Rename(filepath.Join(rpms, kernelRPM), filepath.Join(rpms, "more.rpm")) }},
		{"a source package", func() error {
			return errors.Join(os.Rename(filepath.Join(rpms, "more.rpm"), filepath.Join(rpms, kernelRPM)),
				os.Mkdir(filepath.Join(dir, set.SRPMS), 0o777), os.WriteFile(filepath.Join(dir, set.SRPMS, "more.src.rpm"), nil, 0o666))
		}},
		{"another size", func() error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, set.SRPMS)), os.Truncate(filepath.Join(rpms, kernelRPM), 100))
		}},
	} {
		if err := test.spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := set.OpenRecorded(dir); !errors.As(err, new(*set.OtherPackagesError)) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestFind checks the kinds of sets.
func TestFind(t *testing.T) {
	for name, test := range map[string]struct {
		files []string
		path  string
		want  set.Place
	}{
		"output":            {[]string{"RPMS/a.rpm", "SRPMS/a.src.rpm", "build.json"}, "", set.Place{Kind: set.Output, Packages: "RPMS", RPMNames: []string{"a.rpm"}, SRPMNames: []string{"a.src.rpm"}}},
		"release":           {[]string{"RPMS/a.rpm", "release.json"}, "", set.Place{Kind: set.Release, Packages: "RPMS", RPMNames: []string{"a.rpm"}}},
		"release, by sums":  {[]string{"RPMS/a.rpm", "SHA256SUMS.asc"}, "RPMS", set.Place{Kind: set.Release, Packages: "RPMS", RPMNames: []string{"a.rpm"}}},
		"folder":            {[]string{"b.rpm", "a.rpm", "c.rpm/x", "notes"}, "", set.Place{Kind: set.Folder, RPMNames: []string{"a.rpm", "b.rpm"}}},
		"package":           {[]string{"RPMS/a.rpm", "RPMS/b.rpm"}, "RPMS/b.rpm", set.Place{Kind: set.Single, Packages: "RPMS", RPMNames: []string{"b.rpm"}}},
		"package elsewhere": {[]string{"a.rpm"}, "a.rpm", set.Place{Kind: set.Single, RPMNames: []string{"a.rpm"}}},
	} {
		dir := filepath.Join(t.TempDir(), "out[1]")
		for _, file := range test.files {
			if err := errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o777), os.WriteFile(filepath.Join(dir, file), nil, 0o666)); err != nil {
				t.Fatal(err)
			}
		}
		test.want.Dir, test.want.Packages = dir, filepath.Join(dir, test.want.Packages)
		got, err := set.Find(filepath.Join(dir, test.path))
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

// TestTable checks that the patterns are well formed, and what the rows say of some paths.
func TestTable(t *testing.T) {
	for _, row := range set.Table() {
		if _, err := path.Match(row.Pattern, ""); err != nil || row.MediaType == "" {
			t.Errorf("%+v: %v", row, err)
		}
	}
	for name, want := range map[string]string{
		"RPMS/kernel-1-1.x86_64.rpm": "application/x-rpm", "repodata/repomd.xml": "application/xml",
		"repodata/0-other.xml.gz": "application/gzip", "repodata/repomd.xml.asc": "application/pgp-signature", "SHA256SUMS.asc": "application/pgp-signature",
		"RPM-GPG-KEY-demo": "application/pgp-keys", "sbom.spdx.json": "application/spdx+json", "sbom.cdx.json": "application/vnd.cyclonedx+json",
		"provenance.json": "application/vnd.dsse.envelope.v1+json", "proof.json": "application/vnd.namibuild.proof.v1+json",
		"build.json": "application/vnd.namibuild.build.v1+json", "demo.lock": "application/vnd.namibuild.lock.v1+json",
		"release.json": "application/json", "index.html": "text/html", "changes.diff": "text/plain", "build.log": "text/plain",
		"demo.repo": "text/plain", "SHA256SUMS": "text/plain", "notes": "application/octet-stream",
		"module-signatures.json": "application/json", "bench.png": "image/png", "sub/build.json": "application/octet-stream",
	} {
		if got := set.MediaType(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	entries := []string{"RPMS", "SRPMS", "build.json", "demo.lock", "failed.RPMS", "failed.log", "repodata", "proof.json", "bench.csv", "notes.txt", ".part", "RPM-GPG-KEY-a"}
	if got := set.Stale(entries); !slices.Equal(got, entries[:9]) {
		t.Errorf("of a build: %q", got)
	}
}

// flip changes one bit in the middle of a file.
func flip(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[len(data)/2] ^= 1
	return os.WriteFile(path, data, 0o666)
}

// change sets a field of the record of a set.
func change(dir, field string, value any) error {
	file := filepath.Join(dir, set.RecordFile)
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var r map[string]any
	if err := json.Unmarshal(data, &r); err != nil {
		return err
	}
	r[field] = value
	if data, err = json.Marshal(r); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o666)
}
