package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/boot"
	"namibuild/builder/buildertest"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/set"

	"github.com/google/go-cmp/cmp"
)

// TestReleaseGate checks that a set which is not proven or not locked is released only if
// the options permit it, and that no other set is.
func TestReleaseGate(t *testing.T) {
	var unproven *boot.UnprovenError
	var unlocked *UnlockedError
	var other *set.OtherPackagesError
	var none *set.PathError
	tests := map[string]struct {
		set     func(t *testing.T) string
		change  func(*Options)
		want    any // the error; nil if the set is released
		caveats []Caveat
	}{
		"not proven": {set: lockedSet, want: &unproven},
		"not proven, permitted": {set: lockedSet, change: func(o *Options) { o.Unproven = true },
			caveats: []Caveat{{"unproven", "it has no proof.json"}, {"unreproducible", "the module key is a new one in every build"}}},
		"not locked": {set: func(t *testing.T) string { return proven(t, unlockedSet(t)) }, want: &unlocked},
		"not locked, permitted": {set: func(t *testing.T) string { return proven(t, unlockedSet(t)) }, change: func(o *Options) { o.Unlocked = true },
			caveats: []Caveat{{"unlocked", "it has no timewait.lock"}, {"unreproducible", "the module key is a new one in every build"}}},
		"other packages": {set: func(t *testing.T) string {
			dir := proven(t, lockedSet(t))
			name := sure(filepath.Glob(filepath.Join(otherSet(t), set.RPMS, "*.rpm")))[0]
			if err := os.Rename(name, filepath.Join(dir, set.RPMS, filepath.Base(name))); err != nil {
				t.Fatal(err)
			}
			return dir
		}, want: &other},
		"no set": {set: func(t *testing.T) string { return t.TempDir() }, want: &none},
		"no record": {set: func(t *testing.T) string {
			dir := lockedSet(t)
			if err := os.Remove(filepath.Join(dir, set.RecordFile)); err != nil {
				t.Fatal(err)
			}
			return dir
		}, want: set.ErrNoRecord},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			o := releaseOf(test.set(t), filepath.Join(top, "release"))
			if test.change != nil {
				test.change(&o)
			}
			b, err := Make(context.Background(), o)
			switch want := test.want.(type) {
			case nil:
				if diff := cmp.Diff(test.caveats, b.Caveats); err != nil || diff != "" {
					t.Errorf("%v %s", err, diff)
				}
				v := sure(Verify(context.Background(), VerifyOptions{Dir: o.Output}))
				last := Finding{Name: test.caveats[0].What, Passed: true, Caveat: true, Text: test.caveats[0].Why}
				if v.Wrong() > 0 || !strings.Contains(fmt.Sprint(v.Findings), fmt.Sprint(last)) {
					t.Errorf("%+v", v.Findings)
				}
				return
			case error:
				if !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
			default:
				if !errors.As(err, want) {
					t.Errorf("got %v, want a %T", err, want)
				}
			}
			if left := sure(os.ReadDir(top)); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// unlockedSet builds a set without a lock.
func unlockedSet(t *testing.T) string { return buildertest.Build(t) }

// otherSet returns the directory of a set that another build made.
func otherSet(t *testing.T) string {
	return buildertest.Build(t, func(o *buildertest.Options, _ *enginetest.Fake) { o.Recipe.Tag = "other" })
}
