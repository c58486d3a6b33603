package graft

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"namibuild/builder/kerneltest"
	"namibuild/builder/rpm/rpmtest"
)

// TestFiles checks that a rebuilt package with the published signatures is the published
// file if, and only if, both builds made the same package.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return file
	}
	built := rpmtest.Build(kerneltest.Package("1"))
	published := write("published.rpm", kerneltest.Signed(t, built, false))
	if g, err := Files(published, write("same.rpm", built)); err != nil || !g.Equal || g.Published != g.Grafted || g.Package != "published.rpm" {
		t.Errorf("the same package: %+v, %v", g, err)
	}
	other := kerneltest.Package("1")
	other.Files[0].Content = "y"
	if g, err := Files(published, write("other.rpm", rpmtest.Build(other))); err != nil || g.Equal || g.Published == g.Grafted {
		t.Errorf("another package: %+v, %v", g, err)
	}
	if _, err := Files(published, filepath.Join(dir, "absent.rpm")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing package: %v", err)
	}
	if _, err := Files(published, write("damaged.rpm", built[:200])); err == nil {
		t.Error("a part of a package is accepted")
	}
}
