package engine_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"namibuild/builder/engine"
)

var errFull = syscall.ENOSPC

// tarOf returns a tar of one file that the container's user owns.
func tarOf(name, content string) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Uid: 1000, Gid: 1000})
	_, _ = io.WriteString(w, content)
	_ = w.Close()
	return &b
}

// TestChangedFile checks that files that differ only in their content make
// different images, which hold that content.
func TestChangedFile(t *testing.T) {
	e, _ := connect(t)
	seen := map[string]bool{}
	for _, text := range []string{"one", "two"} {
		s := image("changed", packedDockerfile)
		f := files(packedDockerfile)
		f["packed"].Data = []byte(text)
		s.Files = f
		img, err := e.EnsureImage(t.Context(), s, nil)
		if err != nil || seen[img.ID] {
			t.Fatalf("%s: %+v, %v", text, img, err)
		}
		seen[img.ID] = true
		dir := t.TempDir()
		if err := e.Export(t.Context(), s, dir, nil); err != nil {
			t.Fatal(err)
		}
		if got := read(t, dir+"/out/packed"); got != text {
			t.Fatalf("got %q, want %q", got, text)
		}
	}
}

// TestReproducibleImage checks that an image that is built twice is the same, and
// that the Dockerfile's user and environment are in it.
func TestReproducibleImage(t *testing.T) {
	e, _ := connect(t)
	s := image("twice", testDockerfile)
	s.Args = map[string]string{"VARIANT": "v1"}
	first, err := e.EnsureImage(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := docker(t).ImageInspect(t.Context(), first.Ref)
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "1000:1000" || !strings.Contains(strings.Join(config.Config.Env, " "), "PROBE=v1") {
		t.Fatalf("got %+v", config.Config)
	}
	if _, err := e.RemoveImages(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // so that a creation time would differ
	second, err := e.EnsureImage(t.Context(), s, nil)
	if err != nil || !second.Built || !cmp.Equal(second, first) {
		t.Fatalf("got %+v, %v, want %+v", second, err, first)
	}
}

// TestLocalBase checks that a local base is used instead of one from a registry.
func TestLocalBase(t *testing.T) {
	e, prefix := connect(t)
	s := image("based", "ARG BASE=registry.invalid/nothing@sha256:"+strings.Repeat("0", 64)+"\nFROM ${BASE}\nCOPY probe /probe\n")
	_, err := e.EnsureImage(t.Context(), s, nil)
	var missing *engine.BaseError
	if !errors.As(err, &missing) || !strings.HasPrefix(missing.Ref, "registry.invalid/nothing") {
		t.Fatalf("without a base: %v", err)
	}
	if err := e.ImportBase(t.Context(), "based", tarOf("etc/one", "base")); err != nil {
		t.Fatal(err)
	}
	replaced, err := docker(t).ImageInspect(t.Context(), prefix+"/base-based:local")
	if err != nil {
		t.Fatal(err)
	}
	first, err := e.EnsureImage(t.Context(), s, nil)
	if err != nil || !strings.HasPrefix(first.Base, prefix+"/base-based:local@sha256:") {
		t.Fatalf("with a base: %+v, %v", first, err)
	}
	if err := e.ImportBase(t.Context(), "based", tarOf("etc/two", "base")); err != nil {
		t.Fatal(err)
	}
	second, err := e.EnsureImage(t.Context(), s, nil)
	if err != nil || second.Ref == first.Ref || second.Base == first.Base {
		t.Fatalf("with another base: %+v, %v; before: %+v", second, err, first)
	}
	if _, err := docker(t).ImageInspect(t.Context(), replaced.ID); !cerrdefs.IsNotFound(err) {
		t.Fatalf("the earlier base is left: %v", err)
	}
}

// TestBrokenBase checks that an incomplete base is not imported, and that the
// error of its reader is returned.
func TestBrokenBase(t *testing.T) {
	e, prefix := connect(t)
	gone := errors.New("the disk is gone")
	for _, c := range []struct {
		root io.Reader
		want error
	}{
		{io.MultiReader(tarOf("etc/one", "base"), iotest.ErrReader(gone)), gone},
		{io.LimitReader(tarOf("etc/one", "base"), 514), nil},
	} {
		if err := e.ImportBase(t.Context(), "based", c.root); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Fatalf("got %v, want %v", err, c.want)
		}
		if _, err := docker(t).ImageInspect(t.Context(), prefix+"/base-based:local"); !cerrdefs.IsNotFound(err) {
			t.Fatalf("want no base, got %v", err)
		}
	}
}

// TestCancelStep checks that a long step ends with its context.
func TestCancelStep(t *testing.T) {
	e, _ := connect(t)
	s := image("slow", "FROM scratch\nCOPY probe /probe\nRUN [\"/probe\", \"sleep\"]\n")
	ctx, cancel := context.WithCancel(t.Context())
	begin := time.Now()
	_, err := e.EnsureImage(ctx, s, func(p engine.ImageProgress) {
		if bytes.Contains(p.Log, []byte("waiting")) {
			cancel()
		}
	})
	if took := time.Since(begin); !errors.Is(err, context.Canceled) || took > 30*time.Second {
		t.Fatalf("got %v after %s", err, took)
	}
}
