package source

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
)

// shippedFile is a file of the tarball that patches touch, as the tarball has it.
type shippedFile struct {
	header tar.Header
	text   []byte
}

// mode returns the mode that git would give the file.
func (f *shippedFile) mode() uint32 {
	if f.header.Mode&0o100 != 0 {
		return modeProgram
	}
	return modePlain
}

// hold reads a file that patches touch, and keeps it until they are applied.
func (t *tree) hold(n *node, h *tar.Header, in io.Reader) error {
	if n.seen {
		return fmt.Errorf("entry %q is in it twice", h.Name)
	}
	n.seen, n.now = true, n.path
	t.unseen--
	t.over.now[n.path] = n
	fault := notEditable(n.path, h)
	if t.over.remaining -= h.Size; fault == nil && t.over.remaining < 0 {
		fault = &Fault{File: n.path, Want: "at most 256 MiB in all files that patches touch", Found: "more"}
	}
	if fault != nil {
		n.broken = true
		t.faults = append(t.faults, *fault)
		return nil
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	n.text, n.shipped = text, &shippedFile{header: *h, text: text}
	return nil
}

// checkFolder reports a fault if an entry is not a directory where a patched file
// needs one. Through a symbolic link the file would be written elsewhere.
func (t *tree) checkFolder(rest string, h *tar.Header) {
	if t.over.folders[rest] && h.Typeflag != tar.TypeDir {
		found := "a file"
		if h.Typeflag == tar.TypeSymlink {
			found = "a symbolic link to " + clip(h.Linkname)
		}
		t.faults = append(t.faults, Fault{File: rest, Want: "a directory, for a patch", Found: found})
	}
}

// copyFor returns the header for a copy of the file in the place of a hard link to
// it. Patches change the file under one of the two names only, as patch does.
func (f *shippedFile) copyFor(link *tar.Header) *tar.Header {
	h := f.header
	h.Name, h.Format = link.Name, link.Format
	return &h
}

// patch applies the patches, and then makes the edits of the files that they touch.
func (t *tree) patch() {
	t.faults = append(t.faults, t.over.apply(t.tarball)...)
	for _, want := range t.list {
		if !want.patched {
			continue
		}
		n := t.over.now[want.path]
		switch {
		case n == nil:
			t.faults = append(t.faults, Fault{File: want.path, Entry: want.entry(), Want: "this file after the patches", Found: "no such file"})
		case !n.broken:
			text, faults := want.apply(n.text)
			t.faults = append(t.faults, faults...)
			n.text = text
		}
	}
	if !t.opened && len(t.faults) == 0 && len(t.over.nodes) > 0 {
		t.faults = append(t.faults, Fault{File: t.tarball, Want: "a kernel tree", Found: "an empty archive"})
	}
}

// writePatched writes all files that the patches touch, except deleted ones.
func (t *tree) writePatched(w *tar.Writer) error {
	for _, n := range t.over.nodes {
		if n.now == "" {
			continue
		}
		h := tar.Header{Typeflag: tar.TypeReg, Uname: "root", Gname: "root", ModTime: t.over.epoch}
		if n.shipped != nil {
			h = n.shipped.header
		}
		if n.shipped == nil || n.now != n.path {
			h.Name = path.Join(t.newDir, n.now)
		}
		if n.mode != 0 {
			h.Mode = int64(n.mode & 0o777)
		}
		h.Size = int64(len(n.text))
		if err := writeEntry(w, &h, bytes.NewReader(n.text), t.copies); err != nil {
			return err
		}
	}
	return nil
}
