package source

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
)

// heldFile is a file of the tarball that patches touch.
type heldFile struct {
	header tar.Header
	text   []byte
}

// mode is what git makes of the file's.
func (f *heldFile) mode() uint32 {
	if f.header.Mode&0o100 != 0 {
		return modeProgram
	}
	return modePlain
}

// hold keeps a file that patches touch until they are made.
func (t *tree) hold(n *node, h *tar.Header, in io.Reader) error {
	if n.seen {
		return fmt.Errorf("entry %q comes twice", h.Name)
	}
	n.seen, n.now = true, n.path
	t.unseen--
	t.over.now[n.path] = n
	fault := unfit(n.path, h)
	if t.over.room -= h.Size; fault == nil && t.over.room < 0 {
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
	n.text, n.held = text, &heldFile{header: *h, text: text}
	return nil
}

// checkFolder refuses an entry where a patched file needs a folder: through a
// symbolic link a file would be made elsewhere.
func (t *tree) checkFolder(rest string, h *tar.Header) {
	if t.over.folders[rest] && h.Typeflag != tar.TypeDir {
		found := "a file"
		if h.Typeflag == tar.TypeSymlink {
			found = "a symbolic link to " + clip(h.Linkname)
		}
		t.faults = append(t.faults, Fault{File: rest, Want: "a directory, for a patch", Found: found})
	}
}

// unlinked makes a file of its own out of a hard link to this one, as patch
// does: it changes one of two names.
func (f *heldFile) unlinked(link *tar.Header) *tar.Header {
	h := f.header
	h.Name, h.Format = link.Name, link.Format
	return &h
}

// patch makes the patches, then the edits of the files they touch.
func (t *tree) patch() {
	t.faults = append(t.faults, t.over.apply(t.tarball)...)
	for _, want := range t.list {
		if !want.patched {
			continue
		}
		n := t.over.now[want.path]
		switch {
		case n == nil:
			t.faults = append(t.faults, Fault{File: want.path, Want: "this file behind the patches", Found: "no such file"})
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

// writePatched writes what the patches have left.
func (t *tree) writePatched(w *tar.Writer) error {
	for _, n := range t.over.nodes {
		if n.now == "" {
			continue
		}
		h := tar.Header{Typeflag: tar.TypeReg, Uname: "root", Gname: "root", ModTime: t.over.epoch}
		if n.held != nil {
			h = n.held.header
		}
		if n.held == nil || n.now != n.path {
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
