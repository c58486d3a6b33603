package boot

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"namibuild/builder/unpack"
)

// Module is one kernel module, not compressed.
type Module struct {
	// Name is as lsmod has it, with _ for -.
	Name string
	// Wanted: it was asked for by name; otherwise another one depends on it.
	Wanted  bool
	Data    []byte
	depends []string
}

// ModuleError says that a module is not there or is none.
type ModuleError struct {
	Name   string
	Reason string
}

func (e *ModuleError) Error() string { return "reading module " + e.Name + ": " + e.Reason }

var moduleName = regexp.MustCompile(`^(?:/usr)?/lib/modules/([^/]+)/.*?([^/]+)\.ko(?:\.(?:gz|xz|zst))?$`)

// readModules takes modules and all that they depend on, dependencies first.
// What depends on what stands in the modules themselves: depmod's lists are made
// when a package is installed.
func readModules(all []pack, release string, names []string) ([]Module, error) {
	places := modulePlaces(all, release)
	loaded := map[string]*Module{}
	for want := underscored(names); len(want) > 0; {
		found, err := takeModules(places, want)
		if err != nil {
			return nil, err
		}
		want = nil
		for _, m := range found {
			loaded[m.Name] = &m
			m.Wanted = slices.Contains(underscored(names), m.Name)
			want = append(want, m.depends...)
		}
		want = slices.DeleteFunc(want, func(n string) bool { return loaded[n] != nil })
		slices.Sort(want)
		want = slices.Compact(want)
	}
	return ordered(loaded, underscored(names)), nil
}

// place is where a module lies.
type place struct {
	pack pack
	path string
}

func modulePlaces(all []pack, release string) map[string]place {
	places := map[string]place{}
	for _, c := range all {
		for name := range c.files {
			if m := moduleName.FindStringSubmatch(name); m != nil && m[1] == release {
				places[underscore(m[2])] = place{c, name}
			}
		}
	}
	return places
}

// takeModules reads modules, each package once.
func takeModules(places map[string]place, names []string) ([]Module, error) {
	byPack := map[string][]string{}
	packs := map[string]pack{}
	for _, n := range names {
		at, ok := places[n]
		if !ok {
			return nil, &ModuleError{n, "no package has it"}
		}
		packs[at.pack.path] = at.pack
		byPack[at.pack.path] = append(byPack[at.pack.path], at.path)
	}
	var all []Module
	for where, paths := range byPack {
		found, err := packs[where].readAll(paths...)
		if err != nil {
			return nil, err
		}
		for name, data := range found {
			m, err := readModule(name, data)
			if err != nil {
				return nil, &ModuleError{filepath.Base(name), err.Error()}
			}
			all = append(all, m)
		}
	}
	return all, nil
}

// readModule unpacks a module and reads what it depends on.
func readModule(name string, data []byte) (Module, error) {
	plain, err := unpackModule(name, data)
	if err != nil {
		return Module{}, err
	}
	m := Module{Name: underscore(moduleName.FindStringSubmatch(name)[2]), Data: plain}
	f, err := elf.NewFile(bytes.NewReader(plain))
	if err != nil {
		return Module{}, err
	}
	info := f.Section(".modinfo")
	if info == nil {
		return Module{}, fmt.Errorf("it has no section .modinfo")
	}
	text, err := info.Data()
	for _, field := range strings.Split(string(text), "\x00") {
		if list, ok := strings.CutPrefix(field, "depends="); ok && list != "" {
			m.depends = underscored(strings.Split(list, ","))
		}
	}
	return m, err
}

func unpackModule(name string, data []byte) ([]byte, error) {
	if path.Ext(name) == ".ko" {
		return data, nil
	}
	r, err := unpack.Open(bytes.NewReader(data), maxFile)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// ordered are the modules of these names, each behind what it depends on.
func ordered(loaded map[string]*Module, names []string) []Module {
	var all []Module
	seen := map[string]bool{}
	var add func(string)
	add = func(name string) {
		if m := loaded[name]; m != nil && !seen[name] {
			seen[name] = true
			for _, d := range m.depends {
				add(d)
			}
			all = append(all, *m)
		}
	}
	for _, n := range names {
		add(n)
	}
	return all
}

// underscore is a module's name as the kernel has it.
func underscore(name string) string { return strings.ReplaceAll(name, "-", "_") }

func underscored(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = underscore(n)
	}
	return all
}
