package recipe

import (
	"fmt"
	"io/fs"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// MaxSize is the size limit of a recipe's file, in bytes. A page of YAML has a few
// thousand.
const MaxSize = 1 << 20

// MaxFaults is how many faults of a page are reported. One more Fault counts the
// rest.
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

// Parse reads a page. The faults call it file. A non-nil error is Faults:
// everything that is wrong with the page, up to MaxFaults. Parse does not know the
// recipe's folder, so that Dir and the content of files beside the page are empty.
func Parse(file string, data []byte) (Recipe, error) { return parse(file, data, nil) }

// parse reads a page and, if beside is not nil, the files in it that the page
// names.
func parse(file string, data []byte, beside fs.FS) (Recipe, error) {
	p := &page{file: file, beside: beside, remaining: maxAllBeside}
	r := p.parse(data)
	if len(p.faults) > 0 {
		return Recipe{}, p.sorted()
	}
	return r, nil
}

func (p *page) parse(data []byte) Recipe {
	if len(data) > MaxSize {
		p.fault(&yaml.Node{}, "the file has more than %d bytes: must be a recipe in YAML", MaxSize)
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
	p.require(m, "the recipe", "name", "image", "source", "packages")
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
		Objects:     p.integer(m, "objects", 1, 0),
	}
}

// source returns the source, and the content of its file of keys.
func (p *page) source(in mapping) (Source, []byte) {
	e, ok := in.entries["source"]
	if !ok {
		return Source{}, nil
	}
	m := p.mapping(e.value, "source", sourceKeys...)
	if e.value.Kind == yaml.MappingNode {
		p.checkOrigin(m)
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

// tarball returns the tarball that an SRPM leaves out. It must have a digest,
// because nothing else verifies it.
func (p *page) tarball(in mapping) Tarball {
	e, ok := in.entries["tarball"]
	if !ok {
		return Tarball{}
	}
	m := p.mapping(e.value, "tarball", tarballKeys...)
	p.require(m, "tarball", "sha256")
	if e.value.Kind == yaml.MappingNode && m.has("url") == m.has("file") {
		p.fault(e.value, "tarball must have either url or file")
	}
	return Tarball{URL: p.text(m, "url", isURL), File: p.text(m, "file", isFile), SHA256: p.text(m, "sha256", isSHA256)}
}

// checkOrigin reports a source that does not have exactly one origin, or nothing to
// verify it with.
func (p *page) checkOrigin(m mapping) {
	var from []string
	for _, key := range []string{"url", "file", "pack"} {
		if m.has(key) {
			from = append(from, key)
		}
	}
	switch {
	case len(from) == 0 && (m.meansTo("url") || m.meansTo("file") || m.meansTo("pack")):
		return
	case len(from) == 0:
		p.fault(m.at, "source must have one of url, file and pack")
	case len(from) > 1:
		p.fault(m.at, "source has %s: must have only one of them", strings.Join(from, " and "))
	case from[0] == "pack":
		for _, key := range []string{"sha256", "signed-by", "key", "tarball"} {
			if e, ok := m.entries[key]; ok {
				p.fault(e.key, "%s must not be set with pack: its SRPM is made on this host", key)
			}
		}
		return
	}
	if e, ok := m.entries["key"]; ok && !m.meansTo("signed-by") {
		p.fault(e.key, "key must not be set without signed-by, the fingerprint of a key in that file")
	}
	if !m.meansTo("sha256") && !m.meansTo("signed-by") {
		p.fault(m.at, "source must have sha256 or signed-by")
	}
}

// mirrors returns other URLs of the file that url names. They need a url.
func (p *page) mirrors(m mapping) []string {
	e, ok := m.entries["mirrors"]
	if !ok {
		return nil
	}
	if !m.has("url") {
		p.fault(e.key, "mirrors must not be set without url")
	}
	all := p.words(m, "mirrors", isURL)
	if e.value.Kind == yaml.SequenceNode && len(all) == 0 {
		p.fault(e.value, "mirrors is an empty list: must have at least one URL")
	}
	for i, url := range all {
		if first := m.entries["url"].value; url != "" && first != nil && url == first.Value {
			p.fault(e.value.Content[i], "a mirror is the same as the url in line %d", first.Line)
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
				"%q is also in with, in line %d: must be in only one of with and without", word, line)
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
		name, good := p.scalar(d.key, "define", isMacro)
		if first, twice := lines[name]; good && twice {
			p.fault(d.key, "define %q is set twice, first in line %d", name, first)
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
		p.fault(e.value, "packages is an empty list: must have at least one package")
	}
	return all
}

// words returns a list of words without duplicates. A wrong one is empty, so that
// the indexes are those of the page.
func (p *page) words(m mapping, key string, check func(string) string) []string {
	var all []string
	lines := map[string]int{}
	for _, n := range p.list(m, key) {
		word, good := p.scalar(n, fmt.Sprintf("an entry of %s", key), check)
		if first, twice := lines[word]; good && twice {
			p.fault(n, "%q is twice in %s, first in line %d", word, key, first)
		} else {
			lines[word] = n.Line
		}
		all = append(all, word)
	}
	return all
}
