package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/set"
)

// TestVerifyFinds checks that Verify finds every file of a release that was changed,
// removed or added.
func TestVerifyFinds(t *testing.T) {
	built := proven(t, lockedSet(t))
	write := func(name, text string) func(dir string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666) }
	}
	replace := func(name, old, fresh string) func(string) error {
		return func(dir string) error {
			data := sure(os.ReadFile(filepath.Join(dir, name)))
			if !strings.Contains(string(data), old) {
				return fmt.Errorf("%s lacks %q", name, old)
			}
			return write(name, strings.Replace(string(data), old, fresh, 1))(dir)
		}
	}
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.RemoveAll(filepath.Join(dir, name)) }
	}
	rpm := set.RPMS + "/kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"
	tests := map[string]struct {
		change func(dir string) error
		key    int
		want   map[string]string // the texts of the failed findings, by name
	}{
		"another key": {nil, 1, map[string]string{"signatures": "package is signed by another key", "install": "which is not the trusted one", "release": "it names the key", "repository": "bad signature", "provenance": "no good signature by this key", "files": "SHA256SUMS: bad signature"}},
		"package, a bit": {func(dir string) error {
			data := sure(os.ReadFile(filepath.Join(dir, rpm)))
			data[len(data)-3] ^= 4
			return os.WriteFile(filepath.Join(dir, rpm), data, 0o666)
		}, 0, map[string]string{"packages": "md5 got", "build": "is not as the build made it", "proof": "other packages", "release": "it is about another", "repository": "", "sbom": "it does not name kernel", "provenance": "it is not about kernel", "files": "sha256 got"}},
		"package, unsigned": {func(dir string) error {
			data := sure(os.ReadFile(filepath.Join(built, rpm)))
			return os.WriteFile(filepath.Join(dir, rpm), data, 0o666)
		}, 0, map[string]string{"signatures": "package is not signed", "repository": "", "sbom": "it does not name kernel", "provenance": "it is not about kernel", "files": "sha256 got"}},
		"package, another": {func(dir string) error {
			name := sure(filepath.Glob(filepath.Join(otherSet(t), set.RPMS, "*.rpm")))[0]
			return os.Rename(name, filepath.Join(dir, set.RPMS, filepath.Base(name)))
		}, 0, map[string]string{"signatures": "package is not signed", "build": "is not as the build made it", "proof": "other packages", "release": "it is about another", "repository": "", "sbom": "it does not name kernel", "provenance": "it is not about kernel", "files": "is not in SHA256SUMS"}},
		"proof":           {replace(set.ProofFile, `"got": "5.01 s"`, `"got": "60.0 s"`), 0, map[string]string{"files": "proof.json: sha256 got"}},
		"proof, failed":   {replace(set.ProofFile, `"passed": true`, `"passed": false`), 0, map[string]string{"proof": "its kernel failed", "files": "proof.json: sha256 got"}},
		"proof, removed":  {remove(set.ProofFile), 0, map[string]string{"contents": "proof.json is missing", "files": "proof.json is missing"}},
		"lock":            {replace("timewait.lock", `"jobs": 2`, `"jobs": 3`), 0, map[string]string{"lock": "but the plan has the ID", "files": "timewait.lock: sha256 got"}},
		"key, removed":    {remove("RPM-GPG-KEY-timewait"), 0, map[string]string{"install": "the release has 0 public keys, want one", "contents": "RPM-GPG-KEY-* is missing", "files": "RPM-GPG-KEY-timewait is missing"}},
		"page":            {write(set.PageFile, "<p>install this instead</p>"), 0, map[string]string{"files": "index.html: sha256 got"}},
		"one more file":   {write("install.sh", "#!/bin/sh\n"), 0, map[string]string{"contents": "install.sh is not a file of a release", "files": "install.sh is not in SHA256SUMS"}},
		"sums":            {replace(set.SumsFile, "index.html", "indexx.html"), 0, map[string]string{"files": "bad signature"}},
		"sums, removed":   {remove(set.SumsFile), 0, map[string]string{"contents": "SHA256SUMS is missing", "files": "/SHA256SUMS: no such file"}},
		"lists":           {replace("repodata/repomd.xml", "<revision>", "<revision>1"), 0, map[string]string{"repository": "bad signature", "files": "repodata/repomd.xml: sha256 got"}},
		"lists, removed":  {remove("repodata"), 0, map[string]string{"contents": "repodata/repomd.xml is missing (and 2 files more)", "repository": "", "files": "is missing"}},
		"record":          {replace(set.ReleaseFile, `"key": "`, `"key": "0`), 0, map[string]string{"release": "it names the key 0", "files": "release.json: sha256 got"}},
		"sbom, removed":   {remove(set.SPDXFile), 0, map[string]string{"contents": "sbom.spdx.json is missing", "sbom": "/sbom.spdx.json: no such file", "files": "sbom.spdx.json is missing"}},
		"statement":       {replace(set.ProvenanceFile, `"payload":"`, `"payload":"A`), 0, map[string]string{"provenance": "verifying the provenance: ", "files": "provenance.json: sha256 got"}},
		"record, removed": {remove(set.ReleaseFile), 0, map[string]string{"contents": "release.json is missing", "release": "release.json: no such file", "files": "release.json is missing"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := releaseOf(built, filepath.Join(t.TempDir(), "release"))
			sure(Make(context.Background(), o))
			if test.change != nil {
				if err := test.change(o.Output); err != nil {
					t.Fatal(err)
				}
			}
			c := signers()[test.key].Key
			v, err := Verify(context.Background(), VerifyOptions{Dir: o.Output, Certificate: &c})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range v.Findings {
				want, wrong := test.want[f.Name]
				delete(test.want, f.Name)
				if wrong == f.Passed || !strings.Contains(f.Text, want) {
					t.Errorf("%+v, want …%s…", f, want)
				}
			}
			if len(test.want) > 0 {
				t.Errorf("not checked: %v", test.want)
			}
		})
	}
}

// TestVerifyDamagedKey checks that a damaged key in the release is a finding.
func TestVerifyDamagedKey(t *testing.T) {
	o := releaseOf(proven(t, lockedSet(t)), filepath.Join(t.TempDir(), "release"))
	sure(Make(context.Background(), o))
	found := sure(filepath.Glob(filepath.Join(o.Output, set.KeyPrefix+"*")))
	if err := os.WriteFile(found[0], []byte("no key\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	v, err := Verify(context.Background(), VerifyOptions{Dir: o.Output})
	if err != nil || v.Wrong() == 0 || v.Findings[0].Name != "key" || v.Findings[0].Passed {
		t.Errorf("%+v, %v", v, err)
	}
}
