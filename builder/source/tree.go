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

// tree rewrites the kernel tarball entry by entry. Everything passes through
// but the names below the top directory, the targets of hard links and the
// content of the edited files.
type tree struct {
	tarball string // for messages
	// dir is the top directory that has to be there; empty: the first entry's.
	// Behind the first entry it is the one that is there.
	dir    string
	newDir string // empty: dir stays
	opened bool   // the first entry was seen
	list   []*target
	byPath map[string]*target // without those that a patch touches
	over   *overlay
	byBase map[string][]*lookout // what is looked for, by the last part of its path
	unseen int
	faults []Fault
	copies []byte
	links  links
}

func newTree(tarball, dir, newDir string, list []*target, over *overlay) *tree {
	t := &tree{tarball: tarball, dir: dir, newDir: newDir, list: list, over: over,
		byPath: map[string]*target{}, byBase: map[string][]*lookout{}, copies: make([]byte, 1<<18), links: links{}}
	for _, n := range over.nodes {
		t.expect(&n.lookout)
	}
	for _, want := range list {
		if want.patched = over.byPath[want.path] != nil; !want.patched {
			t.byPath[want.path] = want
			t.expect(&want.lookout)
		}
	}
	return t
}

func (t *tree) expect(l *lookout) {
	t.unseen++
	t.byBase[path.Base(l.path)] = append(t.byBase[path.Base(l.path)], l)
}

// rewrite reads the tar r and writes the new one to w. With w nil it only
// looks, and so it does behind the first fault; looking ends as soon as all
// that the recipe touches was seen.
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

// end puts what patches have made behind all else, reads what stands behind the archive, so that the decompressor checks
// its last sum, and ends the new one.
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

// entry takes one entry over.
func (t *tree) entry(h *tar.Header, in io.Reader, w *tar.Writer) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return writeEntry(w, h, nil, nil)
	}
	if err := checkType(h); err != nil {
		return err
	}
	rest, err := t.below(h.Name)
	if err == nil {
		err = t.links.pass(rest)
	}
	if err == nil && h.Typeflag == tar.TypeSymlink {
		err = t.links.add(rest, h.Linkname)
	}
	if err != nil {
		return fmt.Errorf("entry %q: %w", h.Name, err)
	}
	h.Name = t.renamed(h.Name)
	if h.Format != tar.FormatGNU && h.Format != tar.FormatPAX {
		h.Format = tar.FormatUnknown // ustar; PAX where the new name is too long for it
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
		if n := t.over.byPath[to]; n != nil && n.held != nil {
			return writeEntry(w, n.held.unlinked(h), bytes.NewReader(n.held.text), t.copies)
		}
		h.Linkname = t.renamed(h.Linkname)
	}
	return writeEntry(w, h, in, t.copies)
}

// writeEntry copies an entry; w nil: nothing.
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

// checkType refuses what no source tree holds and what a tar writer cannot
// give back (sparse files).
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
	return fmt.Errorf("entry %q: tar type %q is not known here", h.Name, h.Typeflag)
}

// below is name without the top directory; empty for the top itself.
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

// open takes the top directory from the first entry; another one than wanted
// is a fault, and the edits are judged below it all the same.
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

// renamed puts the new top directory into a name that below let pass.
func (t *tree) renamed(name string) string {
	if t.newDir == t.dir {
		return name
	}
	bare := strings.TrimPrefix(name, "./")
	return name[:len(name)-len(bare)] + t.newDir + bare[len(t.dir):]
}

// edit reads a file that the recipe touches and writes it as it becomes.
func (t *tree) edit(want *target, h *tar.Header, in io.Reader, w *tar.Writer) error {
	if want.seen {
		return fmt.Errorf("entry %q comes twice", h.Name)
	}
	want.seen = true
	t.unseen--
	if fault := unfit(want.path, h); fault != nil {
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

// unfit says why the entry cannot be edited.
func unfit(file string, h *tar.Header) *Fault {
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

// guess remembers the likest path for every file not yet seen.
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

// missing names the files that the whole tarball did not have.
func (t *tree) missing() {
	for _, want := range t.list {
		if !want.seen && !want.patched {
			t.faults = append(t.faults, Fault{File: want.path, Want: "this file in " + t.tarball, Found: want.nothing()})
		}
	}
}

// nothing says that the path is not there, and which one may have been meant.
func (l lookout) nothing() string {
	if l.near != "" {
		return "no such file; of that name there is " + l.near
	}
	return "no such file"
}

// changes are the files as they went in and as they came out, the patched ones
// first.
func (t *tree) changes() []Change {
	list := t.over.changes(t.newDir)
	for _, want := range t.list {
		if !want.patched {
			list = append(list, want.change)
		}
	}
	return list
}
