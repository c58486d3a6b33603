package release

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	memory "github.com/google/go-containerregistry/pkg/registry"

	"namibuild/builder/buildertest"
	"namibuild/builder/set"
)

func TestOpenPublished(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	s := httptest.NewServer(memory.New(memory.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	ctx, o := context.Background(), RegistryOptions{PlainHTTP: true}
	built := buildertest.Build(t)
	if _, err := Push(ctx, built, host+"/kernels/demo:v1", o); err != nil {
		t.Fatal(err)
	}

	path, remove, err := OpenPublished(ctx, built, o)
	if err != nil || path != built {
		t.Fatalf("got %s, %v", path, err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if _, err := set.Open(built); err != nil {
		t.Errorf("a local set was removed: %v", err)
	}

	path, remove, err = OpenPublished(ctx, host+"/kernels/demo:v1", o)
	if err != nil {
		t.Fatal(err)
	}
	want, got := sure(set.Open(built)), sure(set.Open(path))
	if diff := cmp.Diff(want.RPMs, got.RPMs); diff != "" {
		t.Error(diff)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}

	if _, _, err := OpenPublished(ctx, host+"/kernels/demo:v2", o); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a tag that does not exist: %v", err)
	}
	for _, where := range []string{"demo", "out/demo", "out/demo:v1", filepath.Join(built, set.RecordFile, "x")} {
		if _, _, err := OpenPublished(ctx, where, o); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v", where, err)
		}
	}
	if left := sure(os.ReadDir(os.Getenv("TMPDIR"))); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestFindBuilt(t *testing.T) {
	built, empty := buildertest.Build(t), t.TempDir()
	for _, path := range []string{built, filepath.Join(built, set.RPMS)} {
		if dir, err := FindBuilt(path); dir != built || err != nil {
			t.Errorf("%s: got %s, %v", path, dir, err)
		}
	}
	var not *NotBuiltError
	if _, err := FindBuilt(empty); !errors.As(err, &not) || not.Dir != empty {
		t.Errorf("a folder: got %v", err)
	}
	for _, path := range []string{"demo", filepath.Join(empty, "my.yaml")} {
		if _, err := FindBuilt(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}
