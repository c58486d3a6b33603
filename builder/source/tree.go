package source

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// tree rewrites the kernel tarball entry by entry. It changes the name of the top
// directory and the content of edited and patched files; everything else stays.
type tree struct {
	tarball string // for messages
	// dir is the top directory that the tarball must have, or empty for any. After
	// the first entry it is the one that the tarball has.
	dir    string
	newDir string // empty if dir stays
	opened bool   // the first entry was seen
	list   []*target
	byPath map[string]*target // without those that a patch touches
	over   *overlay
	byBase map[string][]*expected // the expected files, by the last part of their paths
	unseen int
	faults []Fault
	copies []byte
	links  links
}

func newTree(tarball, dir, newDir string, list []*target, over *overlay) *tree {
	t := &tree{tarball: tarball, dir: dir, newDir: newDir, list: list, over: over,
		byPath: map[string]*target{}, byBase: map[string][]*expected{}, copies: make([]byte, 1<<18), links: links{}}
	for _, n := range over.nodes {
		t.expect(&n.expected)
	}
	for _, want := range list {
		if want.patched = over.byPath[want.path] != nil; !want.patched {
			t.byPath[want.path] = want
			t.expect(&want.expected)
		}
	}
	return t
}

func (t *tree) expect(l *expected) {
	t.unseen++
	t.byBase[path.Base(l.path)] = append(t.byBase[path.Base(l.path)], l)
}

// rewrite reads the tar r, and writes the new one to w unless w is nil. It stops
// writing at the first fault. Without writing, it stops reading as soon as it has
// seen all files that the recipe touches.
func (t *tree) rewrite(r io.Reader, w *tar.Writer) error {
	in := tar.NewReader(r)
	for w != nil || t.unseen > 0 {
		h, err := in.Next()
		if err == io.EOF {
			t.missing()
			return t.end(r, w)
		}
		if err != nil {
			return err
		}
		if err := t.entry(h, in, w); err != nil {
			return err
		}
		if len(t.faults) > 0 {
			w = nil
		}
	}
	t.patch()
	return nil
}

// end reads what follows the archive, so that the decompressor checks its last
// checksum. Then it writes the patched files, and the end of the new archive.
func (t *tree) end(r io.Reader, w *tar.Writer) error {
	if _, err := io.CopyBuffer(io.Discard, r, t.copies); err != nil {
		return err
	}
	if err := t.links.check(); err != nil {
		return err
	}
	t.patch()
	if w == nil || len(t.faults) > 0 {
		return nil
	}
	if err := t.writePatched(w); err != nil {
		return err
	}
	return w.Close()
}

// entry handles one entry.
func (t *tree) entry(h *tar.Header, in io.Reader, w *tar.Writer) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return writeEntry(w, h, nil, nil)
	}
	if err := checkType(h); err != nil {
		return err
	}
	rest, err := t.below(h.Name)
	if err == nil {
		err = t.links.checkAbove(rest)
	}
	if err == nil && h.Typeflag == tar.TypeSymlink {
		err = t.links.add(rest, h.Linkname)
	}
	if err != nil {
		return fmt.Errorf("entry %q: %w", h.Name, err)
	}
	h.Name = t.renamed(h.Name)
	if h.Format != tar.FormatGNU && h.Format != tar.FormatPAX {
		h.Format = tar.FormatUnknown // ustar, or PAX if the new name is too long for it
	}
	if want := t.byPath[rest]; want != nil {
		return t.edit(want, h, in, w)
	}
	if n := t.over.byPath[rest]; n != nil {
		return t.hold(n, h, in)
	}
	t.guess(rest)
	t.checkFolder(rest, h)
	if h.Typeflag == tar.TypeLink {
		to, err := t.below(h.Linkname)
		if err != nil {
			return fmt.Errorf("entry %q: hard link to %q: %w", h.Name, h.Linkname, err)
		}
		if n := t.over.byPath[to]; n != nil && n.shipped != nil {
			return writeEntry(w, n.shipped.copyFor(h), bytes.NewReader(n.shipped.text), t.copies)
		}
		h.Linkname = t.renamed(h.Linkname)
	}
	return writeEntry(w, h, in, t.copies)
}

// writeEntry writes an entry, unless w is nil.
func writeEntry(w *tar.Writer, h *tar.Header, content io.Reader, buf []byte) error {
	if w == nil {
		return nil
	}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	if h.Size == 0 || h.Typeflag != tar.TypeReg {
		return nil
	}
	_, err := io.CopyBuffer(w, content, buf)
	return err
}

// checkType returns an error for types that no source tree has, and for sparse
// files, which archive/tar cannot write.
func checkType(h *tar.Header) error {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return fmt.Errorf("entry %q: a sparse file", h.Name)
		}
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeLink, tar.TypeSymlink, tar.TypeDir:
		return nil
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return fmt.Errorf("entry %q: a device node or fifo in a source tree", h.Name)
	}
	return fmt.Errorf("entry %q: unknown tar type %q", h.Name, h.Typeflag)
}

// below returns name without the top directory. It is empty for that directory.
func (t *tree) below(name string) (string, error) {
	name = strings.TrimSuffix(strings.TrimPrefix(name, "./"), "/")
	if strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../") {
		return "", errors.New("the name leads out of the tree")
	}
	top, rest, _ := strings.Cut(name, "/")
	if !t.opened {
		t.open(top)
	}
	if top != t.dir || top == "" || top == "." {
		return "", fmt.Errorf("not below the top directory %s", t.dir)
	}
	return rest, nil
}

// open sets the top directory to that of the first entry. If another one is
// required, that is a fault, but the edits are checked below the actual one.
func (t *tree) open(top string) {
	t.opened = true
	if t.dir != "" && t.dir != top {
		t.faults = append(t.faults, Fault{File: t.tarball, Want: "the top directory " + t.dir, Found: clip(top)})
	}
	t.dir = top
	if t.newDir == "" {
		t.newDir = top
	}
}

// renamed returns a name, which below has accepted, with the new top directory.
func (t *tree) renamed(name string) string {
	if t.newDir == t.dir {
		return name
	}
	bare := strings.TrimPrefix(name, "./")
	return name[:len(name)-len(bare)] + t.newDir + bare[len(t.dir):]
}

// edit reads a file that the recipe edits, and writes the edited one.
func (t *tree) edit(want *target, h *tar.Header, in io.Reader, w *tar.Writer) error {
	if want.seen {
		return fmt.Errorf("entry %q is in it twice", h.Name)
	}
	want.seen = true
	t.unseen--
	if fault := notEditable(want.path, h); fault != nil {
		fault.Entry = want.entry()
		t.faults = append(t.faults, *fault)
		return nil
	}
	before, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	after, faults := want.apply(before)
	if t.faults = append(t.faults, faults...); len(t.faults) > 0 {
		return nil
	}
	want.change = Change{Path: path.Join(t.newDir, want.path), Before: before, After: after}
	h.Size = int64(len(after))
	return writeEntry(w, h, bytes.NewReader(after), t.copies)
}

// notEditable returns the fault of an entry that cannot be edited, or nil.
func notEditable(file string, h *tar.Header) *Fault {
	const want = "a regular file to edit"
	switch {
	case h.Typeflag == tar.TypeSymlink:
		return &Fault{File: file, Want: want, Found: "a symbolic link to " + clip(h.Linkname)}
	case h.Typeflag == tar.TypeLink:
		return &Fault{File: file, Want: want, Found: "a hard link to " + clip(h.Linkname)}
	case h.Typeflag == tar.TypeDir:
		return &Fault{File: file, Want: want, Found: "a directory"}
	case h.Size > largest:
		return &Fault{File: file, Want: "at most 16 MiB to edit", Found: fmt.Sprintf("%d bytes", h.Size)}
	}
	return nil
}

// guess remembers a path that is similar to an expected one which was not seen yet.
func (t *tree) guess(rest string) {
	if t.unseen == 0 {
		return
	}
	for _, want := range t.byBase[path.Base(rest)] {
		if !want.seen && nearer(want.path, rest, want.near) {
			want.near = rest
		}
	}
}

// missing reports the files that the tarball does not have.
func (t *tree) missing() {
	for _, want := range t.list {
		if !want.seen && !want.patched {
			t.faults = append(t.faults, Fault{File: want.path, Entry: want.entry(), Want: "this file in " + t.tarball, Found: want.notFound()})
		}
	}
}

// notFound says that the file does not exist, and which path is similar.
func (l expected) notFound() string {
	if l.near != "" {
		return "no such file; one with that name is " + l.near
	}
	return "no such file"
}

// changes returns the changed files, the patched ones first.
func (t *tree) changes() []Change {
	list := t.over.changes(t.newDir)
	for _, want := range t.list {
		if !want.patched {
			list = append(list, want.change)
		}
	}
	return list
}
