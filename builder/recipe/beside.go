package recipe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// How big one file beside a recipe may be, and all of them: they are held in
// memory.
const (
	maxBeside    = 16 << 20
	maxAllBeside = 64 << 20
)

func (p *page) patches(in mapping) []Patch {
	var all []Patch
	lines := map[string]int{}
	for _, n := range p.list(in, "patches") {
		m := p.mapping(n, "a patch", patchKeys...)
		p.need(m, "a patch", "file")
		patch := Patch{File: p.text(m, "file", isBeside), Strip: p.whole(m, "strip", 0, 1)}
		if first, twice := lines[patch.File]; twice && patch.File != "" {
			p.fault(n, "the patch of line %d again: expected another file", first)
		} else {
			lines[patch.File] = n.Line
			patch.Content = p.content(m, "file", patch.File)
		}
		all = append(all, patch)
	}
	return all
}

func (p *page) sources(in mapping) []Added {
	var all []Added
	lines := map[string]int{}
	for _, n := range p.list(in, "sources") {
		m := p.mapping(n, "a file of sources", addedKeys...)
		p.need(m, "a file of sources", "file")
		file := p.text(m, "file", isBeside)
		added := Added{File: file, As: p.text(m, "as", isSourceFile), Content: p.content(m, "file", file)}
		if !m.has("as") && file != "" {
			added.As = path.Base(file)
		}
		if first, twice := lines[added.As]; twice && added.As != "" {
			p.fault(n, "%s is the name of the file of line %d too: expected another one", quote(added.As), first)
		} else {
			lines[added.As] = n.Line
		}
		all = append(all, added)
	}
	return all
}

// isBeside is a file in the recipe's folder.
func isBeside(s string) string {
	return unless(isTreeFile(s) == "", `a file beside the recipe, not absolute, without ".." and "./"`)
}

// content is that of a file beside the recipe; a fault says why it is not.
func (p *page) content(m mapping, key, name string) []byte {
	if p.beside == nil || name == "" {
		return nil
	}
	data, err := readBeside(p.beside, name, min(maxBeside, p.room))
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("there is none")
	}
	if err != nil {
		p.fault(m.entries[key].value, "%s %s: expected a file beside the recipe: %v", key, quote(name), reason(err))
		return nil
	}
	p.room -= int64(len(data))
	return data
}

func readBeside(dir fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		return nil, fmt.Errorf("it has more than %d bytes, or all files together more than %d", int64(maxBeside), int64(maxAllBeside))
	}
	return data, err
}

// reason is an error without the path, which the fault names.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
