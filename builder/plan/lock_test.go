package plan

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
)

const lockedRecipe = `name: demo
image: debian12
source: {pack: demo}
patches: [{file: fixes/tcp.patch}]
sources: [{file: my.config, as: config-local}]
packages: [kernel]
`

func locked(t *testing.T) Lock {
	t.Helper()
	return Lock{
		Plan: mustNew(t, demo(), facts()),
		Page: LockedFile{File: "demo.yaml", Content: []byte(lockedRecipe)},
		Beside: []LockedFile{
			{File: "demo/Dockerfile", Content: []byte("FROM scratch\n")},
			{File: "demo/pack.sh", Executable: true, Content: []byte("#!/bin/sh\n")},
			{File: "fixes/tcp.patch", Content: []byte("--- a/x\n+++ b/x\n")},
			{File: "my.config", Content: []byte("\xff\x00 no text <&>")},
		},
		Layers: []string{"sha256:aa", "sha256:bb"},
	}
}

func mustWrite(t *testing.T, l Lock) []byte {
	t.Helper()
	data, err := l.Write()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestLockRoundTrip(t *testing.T) {
	l := locked(t)
	l.Plan.Source.Mirrors = []string{"http://example.org/mirror.src.rpm"}
	data := mustWrite(t, l)
	golden(t, "testdata/lock.json", string(data))
	got, err := ParseLock(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	l.Plan.Source.Mirrors = nil
	if d := cmp.Diff(l, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if again := mustWrite(t, got); !bytes.Equal(again, data) {
		t.Errorf("writing it again gives other bytes:\n%s", cmp.Diff(string(data), string(again)))
	}
}

func TestLockRecipe(t *testing.T) {
	l := locked(t)
	r, err := l.Recipe()
	if err != nil {
		t.Fatal(err)
	}
	if got := string(r.Sources[0].Content); got != "\xff\x00 no text <&>" {
		t.Errorf("content %q", got)
	}
	names, err := r.Beside()
	if d := cmp.Diff([]string{"demo/Dockerfile", "demo/pack.sh", "fixes/tcp.patch", "my.config"}, names); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	sum, err := TreeDigest(r.Files())
	other := l
	other.Beside[1].Executable = false
	again, _ := other.Recipe()
	if changed, _ := TreeDigest(again.Files()); err != nil || sum == changed {
		t.Errorf("the executable bit is lost: %v", err)
	}
	l.Page.Content = []byte(strings.Replace(lockedRecipe, "{pack: demo}", "{url: http://example.org/k.src.rpm, signed-by: "+centosKey+"}", 1))
	r, err = l.Recipe()
	if want := (recipe.Source{URL: "http://example.org/k.src.rpm", SHA256: srpmDigest, SignedBy: centosKey}); err != nil || !cmp.Equal(want, r.Source) {
		t.Errorf("source %+v, %v", r.Source, err)
	}
	l.Beside = nil
	if _, err := l.Recipe(); err == nil || !strings.Contains(err.Error(), `file "fixes/tcp.patch": must be a file beside the recipe: it does not exist`) {
		t.Errorf("without the patch: %v", err)
	}
}

func TestParseLockErrors(t *testing.T) {
	good := string(mustWrite(t, locked(t)))
	for name, test := range map[string]struct{ from, to, want string }{
		"form":      {"namibuild lock 1", "namibuild lock 9", `form is "namibuild lock 9", want "namibuild lock 1"`},
		"plan":      {`"jobs": 2`, `"jobs": 3`, ", but the plan has the ID "},
		"page":      {"name: demo", "name: other", "sha256 of demo.yaml got "},
		"beside":    {"+++ b/x", "+++ b/y", "sha256 of fixes/tcp.patch got "},
		"key":       {`"form"`, `"fork": 1, "form"`, `unknown field "fork"`},
		"twice":     {`"file": "demo/pack.sh"`, `"file": "demo/Dockerfile"`, "demo/Dockerfile is in it twice"},
		"outside":   {`"file": "demo/pack.sh"`, `"file": "../pack.sh"`, `"../pack.sh" is not the path of a file beside the recipe`},
		"truncated": {good[len(good)/2:], "", "unexpected EOF"},
		"more":      {good, good + "{}", "there is more text behind its end"},
		"both":      {`"base64": "`, `"text": "a", "base64": "`, "my.config has both text and base64"},
	} {
		changed := strings.Replace(good, test.from, test.to, 1)
		if changed == good {
			t.Fatalf("%s changes nothing", name)
		}
		_, err := ParseLock(strings.NewReader(changed))
		if err == nil || !strings.HasPrefix(err.Error(), "reading the lock: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestLockDifferences(t *testing.T) {
	l := locked(t)
	if got := l.Differences(l.Plan, l.Layers); got != nil {
		t.Errorf("the lock differs from itself: %v", got)
	}
	in := facts()
	in.Jobs, in.Unpinned = 3, []string{PinGzip}
	in.SRPM.Epoch++
	r := demo()
	r.Edits, r.Source.Mirrors = nil, []string{"http://example.org/mirrors-do-not-count"}
	want := []string{
		`args[11] is "_smp_build_ncpus 3", locked "_smp_build_ncpus 2"`,
		`args[9] is "_smp_mflags -j3", locked "_smp_mflags -j2"`,
		`edits[0].file is missing, locked "include/net/tcp.h"`,
		`edits[0].find is missing, locked "#define TCP_TIMEWAIT_LEN (60*HZ)"`,
		`edits[0].replace is missing, locked "#define TCP_TIMEWAIT_LEN (5*HZ)"`,
		"edits[0].times is missing, locked 1",
		`env[KBUILD_BUILD_TIMESTAMP].value is "Fri Jan  3 21:50:13 UTC 2014", locked "Fri Jan  3 21:50:12 UTC 2014"`,
		`env[PATH].value is "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", locked "/usr/lib/namibuild/gzip:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"`,
		`env[SOURCE_DATE_EPOCH].value is "1388785813", locked "1388785812"`,
		"jobs is 3, locked 2",
		"pins[gzip].off is true, and is not in the lock",
		"srpm.epoch is 1388785813, locked 1388785812",
		`imageLayers[1] is "sha256:cc", locked "sha256:bb"`,
	}
	if d := cmp.Diff(want, l.Differences(mustNew(t, r, in), []string{"sha256:aa", "sha256:cc"})); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if got := l.Differences(l.Plan, nil); got != nil {
		t.Errorf("without layers the build differs: %v", got)
	}
}

// FuzzParseLock checks that a lock that was parsed can be written, and parsed again
// as the same lock.
func FuzzParseLock(f *testing.F) {
	seeds, err := filepath.Glob("testdata/lock*.json")
	if err != nil || len(seeds) == 0 {
		f.Fatal(seeds, err)
	}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"form":"namibuild lock 1","recipe":{"file":"a"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseLock(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := ParseLock(bytes.NewReader(mustWrite(t, l)))
		if err != nil {
			t.Fatalf("what was written is not a lock: %v", err)
		}
		if diff := l.Differences(again.Plan, again.Layers); diff != nil {
			t.Errorf("what was written is another lock: %v", diff)
		}
		l.Recipe() // must not panic
	})
}
