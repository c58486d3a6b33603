package recipe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// maxBeside is the size limit, in bytes, of one file beside a recipe, and
// maxAllBeside that of all of them together. They are kept in memory.
const (
	maxBeside    = 16 << 20
	maxAllBeside = 64 << 20
)

func (p *page) patches(in mapping) []Patch {
	var all []Patch
	lines := map[string]int{}
	for _, n := range p.list(in, "patches") {
		m := p.mapping(n, "a patch", patchKeys...)
		p.require(m, "a patch", "file")
		patch := Patch{File: p.text(m, "file", isBeside), Strip: p.integer(m, "strip", 0, 1)}
		if first, twice := lines[patch.File]; twice && patch.File != "" {
			p.fault(n, "the same patch as in line %d", first)
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
		p.require(m, "a file of sources", "file")
		file := p.text(m, "file", isBeside)
		added := Added{File: file, As: p.text(m, "as", isSourceFile), Content: p.content(m, "file", file)}
		if !m.has("as") && file != "" {
			added.As = path.Base(file)
		}
		if first, twice := lines[added.As]; twice && added.As != "" {
			p.fault(n, "%s is also the name of the file in line %d: must be another name", quote(added.As), first)
		} else {
			lines[added.As] = n.Line
		}
		all = append(all, added)
	}
	return all
}

// isBeside accepts the path of a file in the recipe's folder.
func isBeside(s string) string {
	return unless(isTreeFile(s) == "", `the path of a file beside the recipe, not absolute, without ".." and "./"`)
}

// content returns the content of the file that a key names. It reports a fault
// and returns nil if the file cannot be read.
func (p *page) content(m mapping, key, name string) []byte {
	if p.beside == nil || name == "" {
		return nil
	}
	data, err := readBeside(p.beside, name, min(maxBeside, p.remaining))
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("it does not exist")
	}
	if err != nil {
		p.fault(m.entries[key].value, "%s %s: must be a file beside the recipe: %v", key, quote(name), reason(err))
		return nil
	}
	p.remaining -= int64(len(data))
	return data
}

func readBeside(dir fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
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

// reason returns an error without its path, which the fault names already.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
