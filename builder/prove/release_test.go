package prove

import (
	"os"
	"path/filepath"
	"testing"

	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

// TestRelease checks that Boot and Bench write beside a release and not into it.
func TestRelease(t *testing.T) {
	boot, _, _ := bootable(t, guest(5000))
	bench, _ := benchable(t, course)
	for _, c := range []struct {
		dir  string
		do   func() error
		want []string
	}{
		{boot.Set, func() error { _, err := Boot(t.Context(), boot); return err }, []string{set.ProofFile, set.ProofLogFile}},
		{bench.Set, func() error { _, err := Bench(t.Context(), bench); return err }, []string{set.BenchFile, set.BenchCSV, set.BenchSVG, set.BenchPNG}},
	} {
		if err := os.WriteFile(filepath.Join(c.dir, set.ReleaseFile), []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir(c.dir); err != nil || len(entries) != 2 {
			t.Errorf("in the release: %v, %v", entries, err)
		}
		for _, name := range c.want {
			if _, err := os.Stat(filepath.Join(c.dir+"-proof", name)); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestRecordsDir checks the folder of the records for each kind of set.
func TestRecordsDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	if err := os.MkdirAll(filepath.Join(dir, set.RPMS), 0o777); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"out/demo": "out/demo-proof", "/srv/demo": "/srv/demo-proof", "../demo": "../demo-proof", ".": dir + "-proof", "..": filepath.Dir(dir) + "-proof"} {
		t.Chdir(dir)
		if got := RecordsDir(set.Place{Kind: set.Release, Dir: path}); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
		if got := RecordsDir(set.Place{Kind: set.Output, Dir: path}); got != path {
			t.Errorf("a set %s: got %s", path, got)
		}
	}
}

// TestProofMeets checks that the proof which Boot writes shows what its recipe wants, by
// the console beside it, and not what another recipe wants.
func TestProofMeets(t *testing.T) {
	o, _, _ := bootable(t, guest(5000))
	p, err := Boot(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	log, err := set.ReadIn(o.Set, set.ProofLogFile)
	if err != nil {
		t.Fatal(err)
	}
	for want, met := range map[*recipe.Proof]bool{{}: true, {TimeWait: 5}: true, {TimeWait: 6}: false, {FinTimeout: 5}: false, {Version: "(a)"}: false, {Modules: []string{"x"}}: false} {
		if unmet := p.Unmet(*want, log); (unmet == "") != met {
			t.Errorf("%+v: %q", *want, unmet)
		}
	}
}
