package release

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/boot"
	"namibuild/builder/set"
)

// TestReleaseClaims checks that a set is not released if somebody changed its records after
// the build, although each of them is well formed.
func TestReleaseClaims(t *testing.T) {
	replace := func(name, old, fresh string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			file := filepath.Join(dir, name)
			data := string(sure(os.ReadFile(file)))
			if !strings.Contains(data, old) {
				t.Fatalf("%s lacks %q", name, old)
			}
			if err := os.WriteFile(file, []byte(strings.Replace(data, old, fresh, 1)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	// relock gives the lock another recipe, with the right digest.
	relock := func(old, fresh string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			file := filepath.Join(dir, "timewait.lock")
			var lock map[string]any
			if err := json.Unmarshal(sure(os.ReadFile(file)), &lock); err != nil {
				t.Fatal(err)
			}
			page := lock["recipe"].(map[string]any)
			before := page["text"].(string)
			after := strings.Replace(before, old, fresh, 1)
			if before == after {
				t.Fatalf("the recipe lacks %q", old)
			}
			page["text"], page["sha256"] = after, set.Of("", []byte(after)).SHA256
			if err := os.WriteFile(file, sure(json.Marshal(lock)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	const noProof = `"proof": {}`
	for name, test := range map[string]struct {
		change func(t *testing.T, dir string)
		as     any
		want   string
	}{
		"the plan":              {replace(set.RecordFile, `"jobs": 2`, `"jobs": 3`), new(*ContradictionError), "but its plan has the ID"},
		"its ID":                {replace(set.RecordFile, `"planID": "`, `"planID": "0`), new(*ContradictionError), "but its plan has the ID"},
		"the lock's tag":        {relock("tag: namibuild", "tag: evil"), new(*ContradictionError), "the recipe in timewait.lock has another tag than the plan"},
		"the lock's edits":      {relock("(5*HZ)", "(6*HZ)"), new(*ContradictionError), "another edits than the plan"},
		"the lock's packages":   {relock("[kernel]", "[kernel, perf]"), new(*ContradictionError), "another packages than the plan"},
		"the lock's image":      {relock("centos6", "centos7"), new(*ContradictionError), "another image than the plan"},
		"the lock's proof":      {relock("packages:", "proof: {time-wait: 5}\npackages:"), new(*ContradictionError), "the recipe in timewait.lock has another proof than build.json"},
		"the lock's recipe":     {relock("image:", "imagine:"), new(*ContradictionError), "timewait.lock: "},
		"the record's proof":    {replace(set.RecordFile, noProof, `"proof": {"timeWait": 5}`), new(*ContradictionError), "has another proof than build.json"},
		"a proof of a plan":     {replace(set.ProofFile, `"planID": "`, `"planID": "0`), new(*boot.UnprovenError), "is about plan"},
		"a proof without one":   {replace(set.ProofFile, `"planID": "`, `"planned": "`), new(*boot.UnprovenError), "is about plan"},
		"a check left out":      {replace(set.ProofFile, `"console"`, `"consoles"`), new(*boot.UnprovenError), "console was not checked"},
		"a check made weaker":   {replace(set.ProofFile, `"want": "Linux version 2.6.32"`, `"want": "Linux"`), new(*boot.UnprovenError), "but it was checked for Linux"},
		"another kernel":        {replace(set.ProofFile, `"release": "2.6.32"`, `"release": "2.6.33"`), new(*boot.UnprovenError), "release: want 2.6.33, the console says 2.6.32"},
		"a console of nothing":  {replace(set.ProofLogFile, "@namibuild release", "release"), new(*boot.UnprovenError), "release: want 2.6.32, the console says"},
		"a warning in the log":  {replace(set.ProofLogFile, "@namibuild tainted 0", "WARNING: at net/core\n@namibuild tainted 512"), new(*boot.UnprovenError), "console: want no panic"},
		"a panic in the log":    {replace(set.ProofLogFile, "@namibuild end", "Kernel panic - not syncing: x"), new(*boot.UnprovenError), "the console says"},
		"a proof without a log": {func(t *testing.T, dir string) { sure(0, os.Remove(filepath.Join(dir, set.ProofLogFile))) }, new(*boot.UnprovenError), "it has no proof.log"},
	} {
		dir := proven(t, lockedSet(t))
		test.change(t, dir)
		o := releaseOf(dir, filepath.Join(t.TempDir(), "release"))
		_, err := Make(context.Background(), o)
		if !errors.As(err, test.as) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want …%s…", name, err, test.want)
		}
		if _, err := os.Stat(o.Output); err == nil {
			t.Errorf("%s: the release exists", name)
		}
	}
}

// TestProofOfAnotherRecipe checks that the proof must show what the recipe of the build
// wants.
func TestProofOfAnotherRecipe(t *testing.T) {
	dir := proven(t, unlockedSet(t))
	file := filepath.Join(dir, set.RecordFile)
	for wanted, reason := range map[string]string{
		`{"timeWait": 5}`:             "time-wait: want 5.00 s, the console says no socket was timed",
		`{"finTimeout": 30}`:          "tcp_fin_timeout: want 30 s, the console says not reported",
		`{"version": "evil"}`:         `/proc/version: want Linux version 2.6.32, with "evil"`,
		`{"modules": ["nf-x"]}`:       "module nf_x was not checked",
		`{"allow": ["some warning"]}`: "",
	} {
		before := sure(os.ReadFile(file))
		after := strings.Replace(string(before), `"proof": {}`, `"proof": `+wanted, 1)
		if err := os.WriteFile(file, []byte(after), 0o666); err != nil {
			t.Fatal(err)
		}
		o := releaseOf(dir, filepath.Join(t.TempDir(), "release"))
		o.Unlocked = true
		_, err := Make(context.Background(), o)
		if reason == "" && err != nil || reason != "" && (!errors.As(err, new(*boot.UnprovenError)) || !strings.Contains(err.Error(), reason)) {
			t.Errorf("%s: got %v, want …%s…", wanted, err, reason)
		}
		if err := os.WriteFile(file, before, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
