package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
)

// extras are the files of SOURCES that a recipe touches.
type extras struct {
	list   []*target
	byName map[string]*target // those that were not read from the payload yet
	// noFragment is the fault that no file is known for the recipe's config.
	noFragment *Fault
}

// newExtras looks up every file in the SRPM's header. taken has the names that no
// file may have, each with the reason.
func newExtras(s *srpm, r recipe.Recipe, taken map[string]string) *extras {
	var list []*target
	for _, a := range r.Sources {
		list = append(list, &target{expected: expected{path: a.As}, added: &a})
	}
	list = addEdits(list, entriesOf(r, recipe.InSources))
	names, fault := fragmentsOf(s, r)
	x := &extras{list: addConfig(list, names, r.Config), byName: map[string]*target{}, noFragment: fault}
	for _, t := range x.list {
		f, exists := s.files[t.path]
		switch what := taken[t.path]; {
		case what != "":
			t.fault("another file of SOURCES", what)
		case !exists && t.added != nil:
			t.make()
		case !exists:
			t.fault("this file in SOURCES", s.noSuch(t.path))
		case f.Size > largest:
			t.fault("at most 16 MiB to edit", fmt.Sprintf("%d bytes", f.Size))
		default:
			x.byName[t.path] = t
		}
	}
	return x
}

func (t *target) fault(want, found string) {
	t.faults = append(t.faults, Fault{File: t.path, Entry: t.entry(), Want: want, Found: found})
}

// make sets the content of a file that the SRPM does not have.
func (t *target) make() {
	text, faults := t.apply(t.added.Content)
	t.faults = append(t.faults, faults...)
	t.change = Change{Path: "SOURCES/" + t.path, After: text, Mode: modePlain}
}

// made returns the files that the SRPM does not have.
func (x *extras) made() []*target {
	return slices.DeleteFunc(slices.Clone(x.list), func(t *target) bool { return t.change.Mode == 0 })
}

// notes returns sentences about files of the SRPM that the recipe replaces, about
// added files that the spec does not name, and about options that a file set more
// than once.
func (x *extras) notes(spec []byte) []string {
	var notes []string
	for _, t := range x.list {
		notes = append(notes, t.notes...)
		switch {
		case t.added == nil:
		case t.change.Mode == 0:
			notes = append(notes, fmt.Sprintf("SOURCES/%s of the SRPM is replaced by %s", t.path, t.added.File))
		case !bytes.Contains(spec, []byte(t.path)):
			notes = append(notes, fmt.Sprintf("SOURCES/%s is added, and the spec does not name it", t.path))
		}
	}
	return notes
}

// noSuch says that a file does not exist, and which name is similar.
func (s *srpm) noSuch(name string) string {
	near, best := "", 0.5 // less in common is by chance
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
	return "no such file; the most similar is " + near
}

// edit reads a file of the payload and edits it.
func (x *extras) edit(f rpm.File, r io.Reader) (*target, error) {
	t := x.byName[f.Path]
	delete(x.byName, f.Path)
	before, err := io.ReadAll(io.LimitReader(r, largest+1))
	if err == nil && len(before) > largest {
		err = errors.New("more than 16 MiB")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Path, err)
	}
	text := before
	if t.added != nil {
		text = t.added.Content
	}
	after, faults := t.apply(text)
	t.faults = append(t.faults, faults...)
	t.change = Change{Path: "SOURCES/" + t.path, Before: before, After: after}
	return t, nil
}

// done tells whether every file was seen.
func (x *extras) done() bool { return len(x.byName) == 0 }

func (x *extras) faults() []Fault {
	var all []Fault
	if x.noFragment != nil {
		all = append(all, *x.noFragment)
	}
	for _, t := range x.list {
		all = append(all, t.faults...)
	}
	return all
}

// editSpec makes the edits of the spec, after the tag's changes. It does not check
// them if the tag does not fit, because the edits may depend on the new names.
func (j *job) editSpec() {
	j.newText = j.text
	if j.recipe.Tag != "" {
		j.newText = j.names.spec.bytes()
	}
	edits := addEdits(nil, entriesOf(j.recipe, recipe.InSpec))
	if len(edits) == 0 || len(j.names.faults) > 0 {
		return
	}
	t := edits[0]
	t.path = j.spec
	j.newText, j.specFaults = t.apply(j.newText)
}
