package recipe

import (
	"fmt"
	"io/fs"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// MaxSize is how big a recipe's file may be, in bytes: a page of YAML has a
// few thousand.
const MaxSize = 1 << 20

// MaxFaults is how many faults of a page are told; one more counts the rest.
const MaxFaults = 1000

// The keys of a page, in the order in which a person writes them.
var (
	pageKeys     = []string{"name", "description", "image", "source", "tag", "config", "patches", "sources", "edits", "rpmbuild", "module-key", "packages", "proof", "objects"}
	patchKeys    = []string{"file", "strip"}
	addedKeys    = []string{"file", "as"}
	sourceKeys   = []string{"url", "mirrors", "file", "pack", "sha256", "signed-by", "key", "tarball"}
	tarballKeys  = []string{"url", "file", "sha256"}
	editKeys     = []string{"in", "file", "find", "regexp", "replace", "times"}
	rpmbuildKeys = []string{"with", "without", "define"}
)

// Parse reads a recipe; file names it in the faults. A non-nil error is Faults:
// everything that is wrong with the page, the first MaxFaults at least. Load is
// what knows where the file lies: Dir and the content of patches and sources
// are empty.
func Parse(file string, data []byte) (Recipe, error) { return parse(file, data, nil) }

// parse also reads the files that the recipe names, from beside it.
func parse(file string, data []byte, beside fs.FS) (Recipe, error) {
	p := &page{file: file, beside: beside, room: maxAllBeside}
	r := p.parse(data)
	if len(p.faults) > 0 {
		return Recipe{}, p.sorted()
	}
	return r, nil
}

func (p *page) parse(data []byte) Recipe {
	if len(data) > MaxSize {
		p.fault(&yaml.Node{}, "more than %d bytes: expected a page of YAML", MaxSize)
		return Recipe{}
	}
	if p.encoding(data); len(p.faults) > 0 {
		return Recipe{}
	}
	root := p.document(data)
	if root == nil {
		return Recipe{}
	}
	p.references(root)
	return p.recipe(root)
}

func (p *page) recipe(root *yaml.Node) Recipe {
	m := p.mapping(root, "the recipe", pageKeys...)
	p.need(m, "the recipe", "name", "image", "source", "packages")
	source, keys := p.source(m)
	return Recipe{
		Name:        p.text(m, "name", isName),
		Description: p.text(m, "description", isLine),
		Image:       p.text(m, "image", isImage),
		Source:      source,
		Keys:        keys,
		Tag:         p.text(m, "tag", isTag),
		Config:      p.config(m),
		Patches:     p.patches(m),
		Sources:     p.sources(m),
		Edits:       p.edits(m),
		Rpmbuild:    p.rpmbuild(m),
		ModuleKey:   p.moduleKey(m),
		Packages:    p.packages(m),
		Proof:       p.proof(m),
		Objects:     p.whole(m, "objects", 1, 0),
	}
}

// source also gives the content of the file of keys.
func (p *page) source(in mapping) (Source, []byte) {
	e, ok := in.entries["source"]
	if !ok {
		return Source{}, nil
	}
	m := p.mapping(e.value, "source", sourceKeys...)
	if e.value.Kind == yaml.MappingNode {
		p.origin(m)
	}
	source := Source{
		URL:      p.text(m, "url", isURL),
		Mirrors:  p.mirrors(m),
		File:     p.text(m, "file", isFile),
		Pack:     p.text(m, "pack", isFolder),
		SHA256:   p.text(m, "sha256", isSHA256),
		SignedBy: p.text(m, "signed-by", isFingerprint),
		Key:      p.text(m, "key", isBeside),
		Tarball:  p.tarball(m),
	}
	return source, p.content(m, "key", source.Key)
}

// tarball is the one that an SRPM leaves out; its digest alone vouches for it.
func (p *page) tarball(in mapping) Tarball {
	e, ok := in.entries["tarball"]
	if !ok {
		return Tarball{}
	}
	m := p.mapping(e.value, "tarball", tarballKeys...)
	p.need(m, "tarball", "sha256")
	if e.value.Kind == yaml.MappingNode && m.has("url") == m.has("file") {
		p.fault(e.value, "tarball wants a url or a file: expected one of them")
	}
	return Tarball{URL: p.text(m, "url", isURL), File: p.text(m, "file", isFile), SHA256: p.text(m, "sha256", isSHA256)}
}

// origin notes a source that is not exactly one thing, or that nobody vouches for.
func (p *page) origin(m mapping) {
	var from []string
	for _, key := range []string{"url", "file", "pack"} {
		if m.has(key) {
			from = append(from, key)
		}
	}
	switch {
	case len(from) == 0:
		p.fault(m.at, "source has no url, file or pack: expected one of them")
	case len(from) > 1:
		p.fault(m.at, "source has %s: expected one of them", strings.Join(from, " and "))
	case from[0] == "pack":
		for _, key := range []string{"sha256", "signed-by", "key", "tarball"} {
			if e, ok := m.entries[key]; ok {
				p.fault(e.key, "%s beside pack: expected none, a pack is made here", key)
			}
		}
		return
	}
	if e, ok := m.entries["key"]; ok && !m.has("signed-by") {
		p.fault(e.key, "key without signed-by: expected the fingerprint of the key in it that counts")
	}
	if !m.has("sha256") && !m.has("signed-by") {
		p.fault(m.at, "source has no digest: expected sha256 or signed-by")
	}
}

// mirrors are other URLs of what url names, and nothing without it.
func (p *page) mirrors(m mapping) []string {
	e, ok := m.entries["mirrors"]
	if !ok {
		return nil
	}
	if !m.has("url") {
		p.fault(e.key, "mirrors without url: expected none, a mirror stands in for a url")
	}
	all := p.words(m, "mirrors", isURL)
	if e.value.Kind == yaml.SequenceNode && len(all) == 0 {
		p.fault(e.value, "mirrors is an empty list: expected at least one URL")
	}
	for i, url := range all {
		if first := m.entries["url"].value; url != "" && first != nil && url == first.Value {
			p.fault(e.value.Content[i], "a mirror is the url of line %d again: expected another one", first.Line)
		}
	}
	return all
}

func (p *page) rpmbuild(in mapping) Rpmbuild {
	e, ok := in.entries["rpmbuild"]
	if !ok {
		return Rpmbuild{}
	}
	m := p.mapping(e.value, "rpmbuild", rpmbuildKeys...)
	with := p.words(m, "with", isWord)
	without := p.words(m, "without", isWord)
	lines := map[string]int{}
	for i, word := range with {
		lines[word] = m.entries["with"].value.Content[i].Line
	}
	for i, word := range without {
		if line, both := lines[word]; both && word != "" {
			p.fault(m.entries["without"].value.Content[i],
				"%q stands in with, in line %d, and in without: expected one of them", word, line)
		}
	}
	return Rpmbuild{With: with, Without: without, Define: p.defines(m)}
}

func (p *page) defines(in mapping) []Define {
	e, ok := in.entries["define"]
	if !ok {
		return nil
	}
	var all []Define
	lines := map[string]int{}
	for _, d := range p.entries(e.value, "define") {
		name, good := p.scalar(d.key, "a define's name", isMacro)
		if first, twice := lines[name]; good && twice {
			p.fault(d.key, "define %q stands twice: expected once, the first is in line %d", name, first)
			continue
		}
		lines[name] = d.key.Line
		value, _ := p.scalar(d.value, "define "+clip(d.key.Value), isMacroValue)
		all = append(all, Define{Name: name, Value: value})
	}
	return all
}

func (p *page) packages(in mapping) []string {
	all := p.words(in, "packages", isPackage)
	if e, ok := in.entries["packages"]; ok && e.value.Kind == yaml.SequenceNode && len(all) == 0 {
		p.fault(e.value, "packages is an empty list: expected at least one package")
	}
	return all
}

// words is a list of words, each standing once; a faulty one is empty, so that
// the indexes stay those of the page.
func (p *page) words(m mapping, key string, expect func(string) string) []string {
	var all []string
	lines := map[string]int{}
	for _, n := range p.list(m, key) {
		word, good := p.scalar(n, fmt.Sprintf("a word of %s", key), expect)
		if first, twice := lines[word]; good && twice {
			p.fault(n, "%q stands twice in %s: expected once, the first is in line %d", word, key, first)
		} else {
			lines[word] = n.Line
		}
		all = append(all, word)
	}
	return all
}
