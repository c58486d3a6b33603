//go:build e2e

package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"namibuild/builder/buildroot"
	"namibuild/builder/set"
)

// TestEndToEndBuildRoot shows that a set's list of its build root is that of the image's
// own package database, with the digest of each package, and that SBOM and provenance name
// every one of them.
func TestEndToEndBuildRoot(t *testing.T) {
	begin(t)
	out := filepath.Join(t.TempDir(), "out")
	for _, args := range [][]string{{"build", newTiny().write(t), "-o", out}, {"sbom", out}} {
		if code, stdout, stderr := runCommand(t, args...); code != 0 {
			t.Fatalf("%s: exit %d\n%s%s", args[0], code, stdout, stderr)
		}
	}
	nothingLeft(t)
	code, statement, stderr := runCommand(t, "provenance", out)
	if code != 0 {
		t.Fatalf("provenance: exit %d\n%s", code, stderr)
	}
	var record set.Record
	if err := json.Unmarshal(read(t, filepath.Join(out, set.RecordFile)), &record); err != nil {
		t.Fatal(err)
	}
	root, err := buildroot.ParseJSON(read(t, filepath.Join(out, set.BuildRootFile)))
	if err != nil || root.Distribution != "debian" || root.Release != "12" {
		t.Fatalf("%s %s, %v", root.Distribution, root.Release, err)
	}
	var got []string
	for _, p := range root.Packages {
		got = append(got, fmt.Sprintf("%s %s %s %s", p.Name, p.Version, p.Arch, p.Source))
		if p.SHA256 == "" {
			t.Errorf("%s has no digest", p.Name)
		}
		purl := root.PURL(p)
		for _, file := range []string{set.SPDXFile, set.CycloneDXFile} {
			if !strings.Contains(string(read(t, filepath.Join(out, file))), `"`+purl+`"`) {
				t.Errorf("%s does not name %s", file, purl)
			}
		}
		if !strings.Contains(statement, `"uri":"`+purl+`"`) {
			t.Errorf("the provenance does not name %s", purl)
		}
	}
	query := output(t, "docker", "run", "--rm", "--network", "none", "--entrypoint", "dpkg-query", record.Image.ID,
		"-W", "-f", "${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n")
	want := strings.Split(strings.TrimSpace(query), "\n")
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(want) < 100 {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
