package builder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/engine"
	"namibuild/builder/fetch"
	"namibuild/builder/kerneltest"
	"namibuild/builder/recipe"
)

// packSource gives a recipe a source that is packed, and returns the folder that it is packed
// from.
func packSource(t *testing.T, r *recipe.Recipe) (folder string) {
	t.Helper()
	r.Dir, r.Source = t.TempDir(), recipe.Source{Pack: "demo"}
	folder = filepath.Join(r.Dir, "demo")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte("ARG BUILDER\nFROM ${BUILDER}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestPack checks that a source is packed once for the same folder and the same image.
func TestPack(t *testing.T) {
	o, f, _ := setup(t)
	folder := packSource(t, &o.Recipe)
	packed := 0
	f.Files = func(s engine.ImageSpec) (map[string][]byte, error) {
		packed++
		if !strings.HasPrefix(s.Args["BUILDER"], "namibuild/centos6:") {
			t.Errorf("packed in %q", s.Args["BUILDER"])
		}
		return map[string][]byte{"kernel.src.rpm": kerneltest.SRPM()}, nil
	}
	if _, _, err := Plan(context.Background(), o.PlanOptions); !errors.As(err, new(*NotPackedError)) {
		t.Errorf("the plan: %v", err)
	}
	for range 2 {
		if _, err := Build(context.Background(), o); err != nil {
			t.Fatal(err)
		}
	}
	if packed != 1 {
		t.Errorf("packed %d times", packed)
	}
	p, preview, err := Plan(context.Background(), o.PlanOptions)
	if err != nil || p.SRPM.Epoch != 1389000000 || !strings.Contains(preview.Diff(), "+#define TCP_TIMEWAIT_LEN (5*HZ)") {
		t.Errorf("the plan: %v, %v", p.SRPM, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "config"), []byte("CONFIG_NET=y\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Input(context.Background(), o.SourceOptions); err != nil || packed != 2 {
		t.Errorf("a changed folder: packed %d times, %v", packed, err)
	}
}

// TestPackLeavesNoPackage checks that a pack must make one SRPM.
func TestPackLeavesNoPackage(t *testing.T) {
	o, _, _ := setup(t)
	packSource(t, &o.Recipe)
	_, err := Input(context.Background(), o.SourceOptions)
	if err == nil || err.Error() != "packing demo: its Dockerfile made 0 .src.rpm files, want one" {
		t.Errorf("got %v", err)
	}
}

// TestPackOffline checks that an offline run packs no source, with an engine or without.
func TestPackOffline(t *testing.T) {
	o, _, _ := setup(t)
	packSource(t, &o.Recipe)
	o.Offline = true
	_, err := Input(context.Background(), o.SourceOptions)
	if !errors.As(err, new(*fetch.OfflineError)) {
		t.Errorf("got %v", err)
	}
	if _, _, err := Plan(context.Background(), o.PlanOptions); !errors.As(err, new(*fetch.OfflineError)) {
		t.Errorf("the plan: %v", err)
	}
}

// TestNilEngineToPack checks that without an engine a source that is packed in a container
// is a *NotPackedError.
func TestNilEngineToPack(t *testing.T) {
	for name, f := range functions {
		if f.needsEngine {
			continue
		}
		t.Run(name, func(t *testing.T) {
			o, _, _ := setup(t)
			packSource(t, &o.Recipe)
			o.Engine = nil
			if err := f.call(t.Context(), o); !errors.As(err, new(*NotPackedError)) {
				t.Errorf("got %v", err)
			}
		})
	}
}
