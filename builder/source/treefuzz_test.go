package source

import (
	"archive/tar"
	"bytes"
	"io"
	"path"
	"strings"
	"testing"
	"time"

	"namibuild/builder/recipe"
)

// FuzzTree checks that, whatever the kernel's tarball has, the rewritten one has only
// files, folders and links, all of which are unpacked below the new top directory.
func FuzzTree(f *testing.F) {
	entries := []tar.Header{
		{Typeflag: tar.TypeDir, Name: "linux-1/", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "linux-1/Makefile", Mode: 0o644, Size: 15},
		{Typeflag: tar.TypeReg, Name: "./linux-1/a/b", Mode: 0o644},
		{Typeflag: tar.TypeLink, Name: "linux-1/hard", Linkname: "linux-1/a/b"},
		{Typeflag: tar.TypeSymlink, Name: "linux-1/a/soft", Linkname: "../a"},
	}
	for _, more := range []tar.Header{
		{Typeflag: tar.TypeReg, Name: "/etc/passwd"}, {Typeflag: tar.TypeReg, Name: "linux-1/../x"}, {Typeflag: tar.TypeChar, Name: "linux-1/null"},
		{Typeflag: tar.TypeSymlink, Name: "linux-1/out", Linkname: "a/soft/../../x"}, {Typeflag: tar.TypeReg, Name: "linux-1/a/soft/x"},
		{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "x"}},
		{Typeflag: tar.TypeReg, Name: "linux-1/pax", PAXRecords: map[string]string{"VENDOR.x": "y"}},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range append(entries, more) {
			if err := w.WriteHeader(&h); err != nil {
				f.Fatal(err)
			}
			io.WriteString(w, "EXTRAVERSION =\n"[:h.Size])
		}
		w.Close()
		f.Add(b.Bytes())
	}
	r := recipe.Recipe{Edits: []recipe.Edit{{File: "a/b", Find: "x", Replace: "y", Times: 1}}}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, list := range [][]*target{targets(recipe.Recipe{}, "-1.tag"), targets(r, ""), nil} {
			tree := newTree("k.tar", "linux-1", "linux-1.tag", list, newOverlay(nil, time.Time{}))
			var out bytes.Buffer
			if err := tree.rewrite(bytes.NewReader(data), tar.NewWriter(&out)); err == nil && len(tree.faults) == 0 {
				confined(t, &out)
			}
		}
	})
}

// confined reads a rewritten tree, and checks where each entry would be unpacked.
func confined(t *testing.T, r io.Reader) {
	const top = "linux-1.tag"
	links := map[string]string{}
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("it cannot be read: %v", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		at := path.Clean(h.Name)
		if at != top && !strings.HasPrefix(at, top+"/") {
			t.Fatalf("%q lands outside", h.Name)
		}
		for dir := path.Dir(at); dir != "."; dir = path.Dir(dir) {
			if to, is := links[dir]; is {
				t.Fatalf("%q lands where %s leads: %q", h.Name, dir, to)
			}
		}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeDir:
		case tar.TypeLink:
			if to := path.Clean(h.Linkname); to != top && !strings.HasPrefix(to, top+"/") {
				t.Fatalf("%q is a hard link to %q", h.Name, h.Linkname)
			}
		case tar.TypeSymlink:
			if to := path.Join(path.Dir(at), h.Linkname); path.IsAbs(h.Linkname) || len(links) == 0 && to != top && !strings.HasPrefix(to, top+"/") {
				t.Fatalf("%q leads to %q", h.Name, h.Linkname)
			}
			links[at] = h.Linkname
		default:
			t.Fatalf("%q has type %q", h.Name, h.Typeflag)
		}
	}
}
