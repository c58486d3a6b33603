package source

import (
	"errors"
	"fmt"
	"io"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
)

// extras are the files of SOURCES that a recipe touches.
type extras struct {
	list   []*target
	byName map[string]*target // those that the payload still has to give
}

// newExtras looks every file up in the SRPM's header. taken are the names that
// no edit may have, with what stands there.
func newExtras(s *srpm, list []*target, taken map[string]string) *extras {
	x := &extras{list: list, byName: map[string]*target{}}
	for _, t := range list {
		f, there := s.files[t.path]
		switch what := taken[t.path]; {
		case what != "":
			t.faults = append(t.faults, Fault{File: t.path, Want: "a file of SOURCES to edit", Found: what})
		case !there:
			t.faults = append(t.faults, Fault{File: t.path, Want: "this file in SOURCES", Found: s.noSuch(t.path)})
		case f.Size > largest:
			t.faults = append(t.faults, Fault{File: t.path, Want: "at most 16 MiB to edit", Found: fmt.Sprintf("%d bytes", f.Size)})
		default:
			x.byName[t.path] = t
		}
	}
	return x
}

// noSuch says that a name is missing, and which one it may have been.
func (s *srpm) noSuch(name string) string {
	near, best := "", 0.5 // less in common is chance
	var want [1 << 16]uint8
	for i := range len(name) - 1 {
		want[pair(name[i], name[i+1])]++
	}
	for _, other := range s.names {
		if like := likeness(&want, []byte(name), []byte(other[:min(len(other), 400)])); like > best {
			near, best = other, like
		}
	}
	if near == "" {
		return "no such file"
	}
	return "no such file; most like it is " + near
}

// take reads a file of the payload and edits it.
func (x *extras) take(f rpm.File, r io.Reader) (*target, error) {
	t := x.byName[f.Path]
	delete(x.byName, f.Path)
	before, err := io.ReadAll(io.LimitReader(r, largest+1))
	if err == nil && len(before) > largest {
		err = errors.New("more than 16 MiB")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Path, err)
	}
	after, faults := t.apply(before)
	t.faults = append(t.faults, faults...)
	t.change = Change{Path: "SOURCES/" + t.path, Before: before, After: after}
	return t, nil
}

// done tells whether every file was seen.
func (x *extras) done() bool { return len(x.byName) == 0 }

func (x *extras) faults() []Fault {
	var all []Fault
	for _, t := range x.list {
		all = append(all, t.faults...)
	}
	return all
}

// editSpec makes the edits of the spec, in the text as the tag has left it. A
// spec whose knobs do not fit is not judged further: the edits may count on
// the new names.
func (j *job) editSpec() {
	j.newText = j.text
	if j.recipe.Tag != "" {
		j.newText = j.names.spec.bytes()
	}
	edits := addEdits(nil, j.recipe.Edits, recipe.InSpec)
	if len(edits) == 0 || len(j.names.faults) > 0 {
		return
	}
	t := edits[0]
	t.path = j.spec
	j.newText, j.specFaults = t.apply(j.newText)
}
