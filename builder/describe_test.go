package builder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/buildroot"
)

// recorded is a set that Build has made.
func recorded(t *testing.T) (dir string, res Result) {
	t.Helper()
	o, _, _ := setup(t)
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return o.Output, res
}

func TestReadRecord(t *testing.T) {
	dir, res := recorded(t)
	root, err := buildroot.Parse([]byte(rootList))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, RPMS), dir + "/"} {
		got, err := ReadRecord(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got.ChangesDiff, "(5*HZ)") {
			t.Errorf("changes %q", got.ChangesDiff)
		}
		want := Record{Result: res, Dir: dir, Built: res.Set, Root: root, ChangesDiff: got.ChangesDiff}
		want.Image.Built = got.Image.Built
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", path, d)
		}
	}
}

// What does not belong together is not described.
func TestReadRecordErrors(t *testing.T) {
	rpm := filepath.Join(RPMS, "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm")
	tests := map[string]struct {
		spoil func(dir string) error
		want  string
	}{
		"no record":      {func(dir string) error { return os.Remove(filepath.Join(dir, RecordJSN)) }, "its build.json is missing, or is about other packages"},
		"other packages": {func(dir string) error { return os.Truncate(filepath.Join(dir, rpm), 500) }, "or is about other packages"},
		"no packages":    {func(dir string) error { return os.RemoveAll(filepath.Join(dir, RPMS)) }, "no package in its folder RPMS"},
		"no build root":  {func(dir string) error { return os.Remove(filepath.Join(dir, BuildRoot)) }, "no such file or directory"},
		"one bit":        {func(dir string) error { return flip(filepath.Join(dir, BuildRoot)) }, "sha256 of buildroot.json got "},
		"changes":        {func(dir string) error { return flip(filepath.Join(dir, Changes)) }, "sha256 of changes.diff got "},
		"half a record":  {func(dir string) error { return os.Truncate(filepath.Join(dir, RecordJSN), 500) }, "unexpected end of JSON input"},
		"an old one":     {func(dir string) error { return older(filepath.Join(dir, RecordJSN)) }, "an earlier version of namibuild made it"},
	}
	for name, test := range tests {
		dir, _ := recorded(t)
		if err := test.spoil(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRecord(dir); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
	dir, _ := recorded(t)
	if _, err := ReadRecord(filepath.Join(dir, rpm)); !errors.As(err, new(*NoSetError)) || !strings.Contains(err.Error(), "a package alone") {
		t.Errorf("a package: got %v", err)
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

// older takes out of a record what its version did not note.
func older(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var r map[string]any
	if err := json.Unmarshal(data, &r); err != nil {
		return err
	}
	delete(r, "buildRoot")
	if data, err = json.Marshal(r); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

// TestSBOM: of the record alone, and of what was put in place of the set.
func TestSBOM(t *testing.T) {
	dir, res := recorded(t)
	r, err := ReadRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	spdx, cyclonedx, err := SBOM(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		res.RPMs[0].SHA256, res.Plan.SRPM.SHA256, res.PlanID, res.Changes.SHA256,
		"linux-2.6.32-431.3.1.el6.tar.bz2", "pkg:rpm/centos/gcc@4.4.7-4.el6?arch=x86_64&distro=centos-6.5", "2014-01-06T09:20:00Z", "v1.2.3", "/boot/vmlinuz",
	} {
		if !bytes.Contains(spdx, []byte(want)) || !bytes.Contains(cyclonedx, []byte(want)) {
			t.Errorf("%s is in SPDX %v, in CycloneDX %v", want, bytes.Contains(spdx, []byte(want)), bytes.Contains(cyclonedx, []byte(want)))
		}
	}
	signed := strings.Repeat("e", 64)
	r.RPMs[0].SHA256 = signed
	if spdx, _, err = SBOM(r); err != nil || !bytes.Contains(spdx, []byte(signed)) {
		t.Errorf("a signed package: %v", err)
	}
}
