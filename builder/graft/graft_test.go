package graft

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"namibuild/builder/kerneltest"
	"namibuild/builder/rpm"
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
	published := write("published.rpm", signed(t, built))
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

// signed returns a package with a signature of the form that rpm takes: version 4, by
// RSA with SHA-256, made at 0 by the key 1, of one bit.
func signed(t *testing.T, built []byte) []byte {
	t.Helper()
	p, err := rpm.ReadPackage(bytes.NewReader(built))
	if err != nil {
		t.Fatal(err)
	}
	payload := built[p.PayloadOffset:]
	packet := []byte{0x88, 29, 4, 0, 1, 8, 0, 6, 5, 2, 0, 0, 0, 0, 0, 10, 9, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1}
	if p, err = p.WithSignatures(rpm.BytesValue(rpm.SigTagRSA, packet)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := p.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), payload...)
}
