package artifact

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// pack returns a package of this name.
func pack(name string) []byte {
	return rpmtest.Build(rpmtest.Package{Name: name, Version: "2.6.32", Release: "431.3.1.namibuild.el6", Arch: "x86_64",
		Files: []rpmtest.File{{Path: "/boot/" + name, Content: strings.Repeat(name, 1000), Mode: 0o100644}}})
}

// file returns the file name of that package.
func file(name string) string { return name + "-2.6.32-431.3.1.namibuild.el6.x86_64.rpm" }

type member struct {
	name string
	data []byte
}

// stream returns a tar stream of members.
func stream(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "RPMS/x86_64/", Mode: 0o755}); err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: m.name, Size: int64(len(m.data)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCollect(t *testing.T) {
	kernel, devel := pack("kernel"), pack("kernel-devel")
	dir := filepath.Join(t.TempDir(), "part")
	set, err := Collect(bytes.NewReader(stream(t,
		member{"RPMS/x86_64/" + file("kernel-devel"), devel}, member{"RPMS/x86_64/" + file("kernel"), kernel}, member{"RPMS/notes.txt", []byte("x")},
	)), dir, []string{"kernel"})
	if err != nil {
		t.Fatal(err)
	}
	want := Set{Dir: dir}
	for _, p := range []struct {
		name string
		data []byte
	}{{"kernel", kernel}, {"kernel-devel", devel}} {
		sum := sha256.Sum256(p.data)
		want.RPMs = append(want.RPMs, RPM{File: file(p.name), Size: int64(len(p.data)), SHA256: hex.EncodeToString(sum[:]),
			NEVRA: rpm.NEVRA{Name: p.name, Version: "2.6.32", Release: "431.3.1.namibuild.el6", Arch: "x86_64"}})
	}
	// "kernel-2…" sorts before "kernel-devel-2…"
	if diff := cmp.Diff(want, set); diff != "" {
		t.Error(diff)
	}
	for _, r := range set.RPMs {
		if data, err := os.ReadFile(filepath.Join(dir, r.File)); err != nil || int64(len(data)) != r.Size {
			t.Errorf("%s: %d bytes, %v", r.File, len(data), err)
		}
	}
}

func TestCollectErrors(t *testing.T) {
	kernel := pack("kernel")
	bad := bytes.Clone(kernel)
	bad[len(bad)-10] ^= 1
	complete := stream(t, member{"RPMS/" + file("kernel"), kernel})
	tests := map[string]struct {
		stream []byte
		want   string
	}{
		"not made":       {stream(t), "the recipe wants kernel; the build made no package at all"},
		"another made":   {stream(t, member{file("kernel-devel"), pack("kernel-devel")}), "the recipe wants kernel; the build made " + file("kernel-devel")},
		"one bit":        {stream(t, member{file("kernel"), bad}), "checking " + file("kernel") + ": "},
		"no RPM":         {stream(t, member{file("kernel"), []byte("hello")}), "checking " + file("kernel") + ": "},
		"another name":   {stream(t, member{"other.rpm", kernel}), "checking other.rpm: its header names it " + file("kernel")},
		"twice":          {stream(t, member{file("kernel"), kernel}, member{"x/" + file("kernel"), kernel}), "collecting: open "},
		"stream cut off": {complete[:len(complete)/2], "checking " + file("kernel") + ": "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "part")
			_, err := Collect(bytes.NewReader(test.stream), dir, []string{"kernel"})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if _, gone := os.Stat(dir); errors.Is(gone, os.ErrNotExist) == errors.As(err, new(*MissingError)) {
				t.Errorf("looking for the folder afterwards: %v", gone)
			}
		})
	}
}

// TestCollectKeepsTheCause checks that the error wraps that of the reader, which
// tells of a broken engine.
func TestCollectKeepsTheCause(t *testing.T) {
	broken := errors.New("connection reset")
	complete := stream(t, member{file("kernel"), pack("kernel")})
	r := io.MultiReader(bytes.NewReader(complete[:600]), &failing{broken})
	if _, err := Collect(r, filepath.Join(t.TempDir(), "part"), nil); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }
