package source

import (
	"fmt"
	"path"
	"time"
)

// mostHeld is how many bytes of the tree's files patches may touch: all of them
// are held in memory until the tarball has ended.
const mostHeld = 256 << 20

// overlay is the part of the tree that patches touch. A patch may need a file
// that the tarball has last, or the absence of one, so they are made when all
// paths that they name were seen, or the tarball has ended.
type overlay struct {
	patches []filePatch
	nodes   []*node          // in the order in which the patches name them
	byPath  map[string]*node // every path that the patches name
	now     map[string]*node // the files as they stand
	folders map[string]bool  // that have to be such, or missing
	room    int64
	epoch   time.Time // of files that patches make
	notes   []string
}

// node is one file. Its lookout is the path in the tarball, where it may not be.
type node struct {
	lookout
	held   *heldFile // as the tarball has it; nil: a patch makes it
	now    string    // where it stands; empty: nowhere
	text   []byte
	mode   uint32 // git's, where a patch sets it
	broken bool   // a fault of it was told
}

func newOverlay(patches []filePatch, epoch time.Time) *overlay {
	o := &overlay{patches: patches, byPath: map[string]*node{}, now: map[string]*node{},
		folders: map[string]bool{}, room: mostHeld, epoch: epoch}
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
	n := &node{lookout: lookout{path: name}}
	o.byPath[name] = n
	o.nodes = append(o.nodes, n)
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		o.folders[dir] = true
	}
}

// apply makes the patches in order.
func (o *overlay) apply(tarball string) []Fault {
	var faults []Fault
	for _, f := range o.patches {
		n, fault := o.before(f, tarball)
		if fault != nil {
			faults = append(faults, *fault)
		}
		if n.broken {
			o.spoil(n, f)
			continue
		}
		found := o.change(n, f, tarball)
		if len(found) > 0 {
			o.spoil(n, f)
		}
		faults = append(faults, found...)
	}
	if len(faults) == 0 {
		faults = o.nested()
	}
	return faults
}

// before is the file that a part of a patch changes; one that is to be made is
// empty. A fault comes with a broken one.
func (o *overlay) before(f filePatch, tarball string) (*node, *Fault) {
	if f.old != "" {
		if n := o.now[f.old]; n != nil {
			return n, nil
		}
		if n := o.byPath[f.old]; !f.fills {
			n.broken = true
			return n, &Fault{File: f.file, Line: f.line, Want: f.old + " in " + tarball, Found: n.nothing()}
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
	if n.now != "" { // it was renamed, and another takes its place
		n = &node{lookout: lookout{path: f.new}}
		o.nodes = append(o.nodes, n)
	}
	n.text, n.now, n.mode = nil, f.new, modePlain
	o.now[f.new] = n
	return n, nil
}

// change makes one part of a patch in the file that it is for.
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

// spoil keeps what follows from a fault quiet.
func (o *overlay) spoil(n *node, f filePatch) {
	n.broken = true
	for _, name := range []string{f.old, f.new} {
		if name != "" && o.now[name] == nil {
			o.now[name] = n
		}
	}
}

// nested tells files that stand where others need a folder.
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

// changes are the files as they went in and as they came out.
func (o *overlay) changes(top string) []Change {
	var list []Change
	for _, n := range o.nodes {
		c := Change{Path: path.Join(top, n.now), After: n.text, Mode: n.mode}
		switch {
		case n.held == nil && n.now == "":
			continue
		case n.held == nil:
		case n.now == "":
			c.Path, c.After, c.Mode, c.OldMode = path.Join(top, n.path), nil, 0, n.held.mode()
		case n.mode != 0 && n.mode != n.held.mode():
			c.OldMode = n.held.mode()
		default:
			c.Mode = 0
		}
		if n.held != nil {
			c.Before = n.held.text
		}
		if n.held != nil && n.now != "" && n.now != n.path {
			c.From = path.Join(top, n.path)
		}
		list = append(list, c)
	}
	return list
}
