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

// Module is a kernel module.
type Module struct {
	// Name is the name that lsmod prints, with _ for -.
	Name string
	// Wanted says that it was asked for by name; otherwise another module depends
	// on it.
	Wanted bool
	// Data is the ELF file, not compressed.
	Data    []byte
	depends []string
}

// ModuleError reports that a module does not exist, or that a file is not a
// module.
type ModuleError struct {
	Name   string
	Reason string
}

func (e *ModuleError) Error() string { return "reading module " + e.Name + ": " + e.Reason }

// moduleName matches the path of a module. It finds the kernel's release and the
// name.
var moduleName = regexp.MustCompile(`^(?:/usr)?/lib/modules/([^/]+)/.*?([^/]+)\.ko(?:\.(?:gz|xz|zst))?$`)

// readModules reads modules and all that they depend on, dependencies first. It
// finds the dependencies in the modules themselves, because depmod makes its lists
// only when a package is installed.
func readModules(all []openPackage, release string, names []string) ([]Module, error) {
	places := locateModules(all, release)
	loaded := map[string]*Module{}
	for want := underscored(names); len(want) > 0; {
		found, err := readNamed(places, want)
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

// location says which package holds a module, and under which path.
type location struct {
	in   openPackage
	path string
}

// locateModules finds the modules of a release, by their names.
func locateModules(all []openPackage, release string) map[string]location {
	places := map[string]location{}
	for _, c := range all {
		for name := range c.files {
			if m := moduleName.FindStringSubmatch(name); m != nil && m[1] == release {
				places[underscore(m[2])] = location{c, name}
			}
		}
	}
	return places
}

// readNamed reads the modules of these names, and each package once.
func readNamed(places map[string]location, names []string) ([]Module, error) {
	byPackage := map[string][]string{}
	packages := map[string]openPackage{}
	for _, n := range names {
		at, ok := places[n]
		if !ok {
			return nil, &ModuleError{n, "no package has it"}
		}
		packages[at.in.path] = at.in
		byPackage[at.in.path] = append(byPackage[at.in.path], at.path)
	}
	var all []Module
	for where, paths := range byPackage {
		found, err := packages[where].readAll(paths...)
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

// readModule decompresses a module and reads what it depends on.
func readModule(name string, data []byte) (Module, error) {
	plain, err := decompressModule(name, data)
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

// decompressModule returns a module without the compression that its name tells.
func decompressModule(name string, data []byte) ([]byte, error) {
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

// ordered returns the modules of these names, each behind those that it depends
// on.
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

// underscore returns a module's name as the kernel spells it.
func underscore(name string) string { return strings.ReplaceAll(name, "-", "_") }

// underscored returns the names of modules as the kernel spells them.
func underscored(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = underscore(n)
	}
	return all
}
