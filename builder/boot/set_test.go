package boot

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/artifact"
	"namibuild/builder/set"

	"github.com/google/go-cmp/cmp"
)

// TestProven checks that a proof counts if its kernel passed and it is about these
// packages.
func TestProven(t *testing.T) {
	tests := map[string]struct {
		change func(dir string, p *Proof)
		want   string // the reason; empty if it is proven
	}{
		"proven": {func(string, *Proof) {}, ""},
		"failed": {func(_ string, p *Proof) {
			p.Passed = false
			p.Checks = append(p.Checks, Check{"time-wait", "5.00 s", "60.00 s", false})
		}, "its kernel failed: time-wait: want 5.00 s, got 60.00 s"},
		"passed, but a check failed": {func(_ string, p *Proof) { p.Checks[0].Passed = false }, "its kernel failed: release: want x, got x"},
		"nothing checked":            {func(_ string, p *Proof) { p.Checks = nil }, "its kernel failed"},
		"one package changed":        {func(dir string, _ *Proof) { write(t, dir, "RPMS/a.rpm", "A") }, "its proof.json is about other packages than those in RPMS"},
		"one package more":           {func(dir string, _ *Proof) { write(t, dir, "RPMS/c.rpm", "c") }, "its proof.json is about other packages than those in RPMS"},
		"one package less":           {func(dir string, _ *Proof) { os.Remove(filepath.Join(dir, "RPMS/a.rpm")) }, "its proof.json is about other packages than those in RPMS"},
	}
	for name, test := range tests {
		dir := t.TempDir()
		write(t, dir, "RPMS/b.rpm", "b")
		write(t, dir, "RPMS/a.rpm", "a")
		packages := PackagesOf(rpms(t, dir))
		p := Proof{Passed: true, Checks: []Check{{"release", "x", "x", true}}, Packages: packages, Kernel: Kernel{Release: "x"}, Ending: Reset, Sockets: []Socket{{5000, 5012}}}
		test.change(dir, &p)
		if err := Write(dir, p, []byte("console\n")); err != nil {
			t.Fatal(err)
		}
		got, err := proven(t, dir)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.want == "":
			p.Form = ProofForm
			if d := cmp.Diff(p, got); d != "" {
				t.Errorf("%s: -want +got\n%s", name, d)
			}
		case err == nil || err.Error() != dir+" is not proven: "+test.want:
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".*")); left != nil {
			t.Errorf("%s: left %v", name, left)
		}
	}
	dir := t.TempDir()
	if _, err := proven(t, dir); err == nil || !strings.HasSuffix(err.Error(), "it has no proof.json") {
		t.Errorf("without a proof: got %v", err)
	}
	write(t, dir, set.ProofFile, "[")
	if _, err := proven(t, dir); err == nil || !strings.HasSuffix(err.Error(), "its proof.json is not a proof") {
		t.Errorf("not JSON: got %v", err)
	}
	for page, want := range map[string]string{"{}": "has form 0, this namibuild reads form 1: an earlier version", `{"form": 2}`: "has form 2, this namibuild reads form 1: a newer namibuild"} {
		write(t, dir, set.ProofFile, page)
		if _, err := proven(t, dir); !errors.As(err, new(*UnprovenError)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", page, err)
		}
	}
}

// rpms gives the packages in a folder, by their digests.
func rpms(t *testing.T, dir string) []artifact.RPM {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "RPMS", "*.rpm"))
	if err != nil {
		t.Fatal(err)
	}
	var all []artifact.RPM
	for _, name := range names {
		f, err := set.ReadFile(filepath.Dir(name), filepath.Base(name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, artifact.RPM{File: f.Name, SHA256: f.SHA256})
	}
	return all
}

// proven gives the proof that lies in a folder.
func proven(t *testing.T, dir string) (Proof, error) {
	t.Helper()
	files, err := set.Place{Kind: set.Output, Dir: dir}.ReadFiles()
	if err != nil {
		t.Fatal(err)
	}
	return Proven(dir, files, rpms(t, dir))
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
