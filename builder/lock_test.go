package builder

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"namibuild/builder/event"
	"namibuild/builder/kerneltest"
	"namibuild/builder/plan"
)

// TestBuildByLock checks that a build by a lock keeps the lock beside its packages, that a
// release warns of an ephemeral module key, and that a build without a lock removes the old one.
func TestBuildByLock(t *testing.T) {
	o, f, events := setup(t)
	l, err := Lock(context.Background(), o.PlanOptions, "timewait.yaml", []byte(kerneltest.Page))
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Layers) != 1 || len(f.Specs()) != 0 {
		t.Errorf("layers %v, containers %v", l.Layers, f.Specs())
	}
	o.Lock, o.Release = &l, true
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(o.Output, "timewait.lock"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := plan.ParseLock(bytes.NewReader(data))
	if err != nil || kept.Plan.ID() != res.PlanID {
		t.Errorf("the lock beside the packages is of plan %s: %v", kept.Plan.ID(), err)
	}

	if !slices.ContainsFunc(*events, func(e event.Event) bool {
		return e.Kind == event.Warning && strings.Contains(e.Text, "not reproducible")
	}) {
		t.Error("no warning that a release with an ephemeral key is not reproducible")
	}

	o.Lock, o.Release = nil, false
	if _, err := Build(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(o.Output, "timewait.lock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock of the build before lies beside these packages: %v", err)
	}
}

// TestBuildDiffersFromLock checks that a build that differs from its lock ends before anything
// is made, and names the differences.
func TestBuildDiffersFromLock(t *testing.T) {
	o, f, _ := setup(t)
	l, err := Lock(context.Background(), o.PlanOptions, "timewait.yaml", []byte(kerneltest.Page))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"jobs":    {func(o *Options) { o.Jobs = 7 }, `args[2] is "_smp_mflags -j7", locked "_smp_mflags -j2"; jobs is 7, locked 2`},
		"edit":    {func(o *Options) { o.Recipe.Edits[0].Replace = "(5 * HZ)" }, `edits[0].replace is "(5 * HZ)", locked "(5*HZ)"`},
		"image":   {func(o *Options) { other := l; other.Layers = []string{"sha256:else"}; o.Lock = &other }, `imageLayers[0] is "` + l.Layers[0] + `", locked "sha256:else"`},
		"no lock": {func(o *Options) { o.Lock = nil }, ""},
	} {
		changed := o
		changed.Recipe.Edits = append(o.Recipe.Edits[:0:0], o.Recipe.Edits...)
		changed.Lock, changed.Release = &l, true
		test.change(&changed)
		_, err := Build(context.Background(), changed)
		lock := (*LockError)(nil)
		if !errors.As(err, &lock) || strings.Join(lock.Differences, "; ") != test.want {
			t.Errorf("%s: got %v, %v", name, err, lock)
		}
	}
	if len(f.Specs()) > 0 {
		t.Errorf("containers were made: %v", f.Specs())
	}
	if _, err := os.Stat(o.Output); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
}
