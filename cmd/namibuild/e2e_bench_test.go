//go:build e2e

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"namibuild/builder/boot"
	"namibuild/builder/set"
)

// checkBench checks what quickstart has measured on both kernels: the stock kernel runs
// out of ports, the patched one does not, and each sustains what its ports and the length
// of TIME_WAIT allow.
func checkBench(t *testing.T, dir string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, set.BenchFile))
	if err != nil {
		t.Fatal(err)
	}
	var r boot.Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if r.Stock.TimeWait != 60 || r.Patched.TimeWait != 5 {
		t.Errorf("TIME_WAIT of %d s and %d s", r.Stock.TimeWait, r.Patched.TimeWait)
	}
	if r.Stock.Last().Failed == 0 || r.Patched.Last().Failed != 0 {
		t.Errorf("%d connects failed on the stock kernel, %d on the patched one", r.Stock.Last().Failed, r.Patched.Last().Failed)
	}
	for _, c := range []boot.Course{r.Stock, r.Patched} {
		if c.Sustained < 0.85*c.Possible || c.Sustained > 1.05*c.Possible {
			t.Errorf("%s sustains %.1f a second, %.1f are possible", c.Release, c.Sustained, c.Possible)
		}
	}
	for _, name := range []string{set.BenchCSV, set.BenchSVG, set.BenchPNG} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
