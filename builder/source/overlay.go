package source

import (
	"fmt"
	"path"
	"time"
)

// maxPatched is the limit for the sizes, in bytes, of all files that patches touch
// together. They are kept in memory until the end of the tarball.
const maxPatched = 256 << 20

// overlay is the part of the tree that patches touch. A patch may need the last file
// of the tarball, or the absence of a file. So the patches are applied when all
// paths that they name were seen, or at the end of the tarball.
type overlay struct {
	patches   []filePatch
	nodes     []*node          // in the order in which the patches name them
	byPath    map[string]*node // all paths that the patches name
	now       map[string]*node // the files by their current paths
	folders   map[string]bool  // paths that must be folders, or missing
	remaining int64
	epoch     time.Time // time of the files that patches add
	notes     []string
}

// node is one file. The path in expected is that in the tarball, which may not have
// it.
type node struct {
	expected
	shipped *shippedFile // nil if a patch adds the file
	now     string       // its current path; empty if it is deleted or not added yet
	text    []byte
	mode    uint32 // as git has it, if a patch sets it
	broken  bool   // a fault of it was reported
}

func newOverlay(patches []filePatch, epoch time.Time) *overlay {
	o := &overlay{patches: patches, byPath: map[string]*node{}, now: map[string]*node{},
		folders: map[string]bool{}, remaining: maxPatched, epoch: epoch}
	for _, f := range patches {
		o.expect(f.old)
		o.expect(f.new)
	}
	return o
}

func (o *overlay) expect(name string) {
	if name == "" || o.byPath[name] != nil {
		return
	}
	n := &node{expected: expected{path: name}}
	o.byPath[name] = n
	o.nodes = append(o.nodes, n)
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		o.folders[dir] = true
	}
}

// apply applies the patches in order.
func (o *overlay) apply(tarball string) []Fault {
	var faults []Fault
	for _, f := range o.patches {
		n, fault := o.before(f, tarball)
		if fault != nil {
			faults = append(faults, *fault)
		}
		if n.broken {
			o.markBroken(n, f)
			continue
		}
		found := o.change(n, f, tarball)
		if len(found) > 0 {
			o.markBroken(n, f)
		}
		faults = append(faults, found...)
	}
	if len(faults) == 0 {
		faults = o.nested()
	}
	return faults
}

// before returns the file that a part of a patch changes. A file that the part adds
// is empty. If there is a fault, the file is broken.
func (o *overlay) before(f filePatch, tarball string) (*node, *Fault) {
	if f.old != "" {
		if n := o.now[f.old]; n != nil {
			return n, nil
		}
		if n := o.byPath[f.old]; !f.fills {
			n.broken = true
			return n, &Fault{File: f.file, Line: f.line, Want: f.old + " in " + tarball, Found: n.notFound()}
		}
	}
	if n := o.now[f.new]; n != nil {
		if n.broken {
			return n, nil
		}
		n.broken = true
		return n, &Fault{File: f.file, Line: f.line, Want: "no " + f.new + " in " + tarball + ", to make it", Found: fmt.Sprintf("one of %d bytes", len(n.text))}
	}
	n := o.byPath[f.new]
	if n.now != "" { // it was renamed, and the patch adds another one
		n = &node{expected: expected{path: f.new}}
		o.nodes = append(o.nodes, n)
	}
	n.text, n.now, n.mode = nil, f.new, modePlain
	o.now[f.new] = n
	return n, nil
}

// change applies one part of a patch to its file.
func (o *overlay) change(n *node, f filePatch, tarball string) []Fault {
	text, notes, faults := f.apply(n.now, n.text)
	if len(faults) > 0 {
		return faults
	}
	if f.new == "" && len(text) > 0 {
		return []Fault{{File: f.file, Line: f.line, Want: "all of " + f.old + " to be removed", Found: fmt.Sprintf("%d bytes more in it", len(text))}}
	}
	if other := o.now[f.new]; f.new != "" && other != nil && other != n {
		return []Fault{{File: f.file, Line: f.line, Want: "no " + f.new + " in " + tarball + ", to rename " + f.old, Found: fmt.Sprintf("one of %d bytes", len(other.text))}}
	}
	o.notes = append(o.notes, notes...)
	delete(o.now, n.now)
	n.text, n.now = text, f.new
	if f.new != "" {
		o.now[f.new] = n
	}
	if f.mode != 0 {
		n.mode = f.mode
	}
	return nil
}

// markBroken marks the files of a part that has a fault, so that faults which follow
// from it are not reported.
func (o *overlay) markBroken(n *node, f filePatch) {
	n.broken = true
	for _, name := range []string{f.old, f.new} {
		if name != "" && o.now[name] == nil {
			o.now[name] = n
		}
	}
}

// nested reports files whose path must be a folder for other files.
func (o *overlay) nested() []Fault {
	var faults []Fault
	for _, n := range o.nodes {
		if n.now == "" {
			continue
		}
		for dir := path.Dir(n.now); dir != "."; dir = path.Dir(dir) {
			if o.now[dir] != nil {
				faults = append(faults, Fault{File: dir, Want: "a directory, for " + n.now, Found: "a file"})
			}
		}
	}
	return faults
}

// changes returns the files before and after the patches.
func (o *overlay) changes(top string) []Change {
	var list []Change
	for _, n := range o.nodes {
		c := Change{Path: path.Join(top, n.now), After: n.text, Mode: n.mode}
		switch {
		case n.shipped == nil && n.now == "":
			continue
		case n.shipped == nil:
		case n.now == "":
			c.Path, c.After, c.Mode, c.OldMode = path.Join(top, n.path), nil, 0, n.shipped.mode()
		case n.mode != 0 && n.mode != n.shipped.mode():
			c.OldMode = n.shipped.mode()
		default:
			c.Mode = 0
		}
		if n.shipped != nil {
			c.Before = n.shipped.text
		}
		if n.shipped != nil && n.now != "" && n.now != n.path {
			c.From = path.Join(top, n.path)
		}
		list = append(list, c)
	}
	return list
}
