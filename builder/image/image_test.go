package image_test

import (
	"os"
	"path/filepath"
	"testing"

	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/image"
	"namibuild/builder/kerneltest"
)

// TestNilTell checks that every function that takes a Sink works without one.
func TestNilTell(t *testing.T) {
	f := kerneltest.Fake()
	if _, err := image.Ensure(t.Context(), f, image.Request{Name: "centos6", Definitions: kerneltest.Images}, event.Image, nil); err != nil {
		t.Error(err)
	}
	root := filepath.Join(t.TempDir(), "root.tar")
	if err := os.WriteFile(root, []byte("root"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := image.ImportBase(t.Context(), f, "centos6", root, nil); err != nil {
		t.Error(err)
	}
	for _, p := range []engine.ImageProgress{{Log: []byte("a\nb\n")}, {Total: 1}, {Step: "RUN true"}} {
		image.Progress(event.Image, nil)(p)
	}
}
