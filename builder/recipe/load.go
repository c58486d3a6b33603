package recipe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// folder is the folder of the shipped recipes among the binary's files.
const folder = "recipes"

// Load finds and reads a recipe. An arg that has a slash, or ends in .yaml or .yml,
// is the path of a file. Any other is the name of a recipe in embedded, the files
// that come with namibuild. The error of a wrong page is Faults. Load also checks
// that the pack of a recipe has a Dockerfile.
func Load(arg string, embedded fs.FS) (Recipe, error) {
	if isPath(arg) {
		return loadFile(arg)
	}
	names, err := shipped(embedded)
	if err != nil {
		return Recipe{}, err
	}
	if !slices.Contains(names, arg) {
		return Recipe{}, notShipped(arg, names)
	}
	return loadShipped(arg, embedded)
}

// Page returns the text of a recipe, found as by Load, and the base name of its
// file.
func Page(arg string, embedded fs.FS) (file string, page []byte, err error) {
	if !isPath(arg) {
		file = arg + ".yaml"
		page, err = fs.ReadFile(embedded, path.Join(folder, file))
	} else {
		file = filepath.Base(arg)
		page, err = os.ReadFile(arg)
	}
	if err != nil {
		return "", nil, fmt.Errorf("reading recipe: %w", err)
	}
	return file, page, nil
}

// Read reads a page that has been read from its file already, and the files that
// it names from beside. It checks what Load checks.
func Read(file string, page []byte, beside fs.FS) (Recipe, error) {
	r, err := parse(file, page, beside)
	if err != nil {
		return Recipe{}, err
	}
	r.files = beside
	return r, r.checkPack()
}

// Beside returns the sorted paths, in Files, of all files that a recipe is made of
// besides its own.
func (r Recipe) Beside() ([]string, error) {
	var all []string
	for _, p := range r.Patches {
		all = append(all, p.File)
	}
	for _, a := range r.Sources {
		all = append(all, a.File)
	}
	if r.ModuleKey.Mode == KeyRecorded {
		all = append(all, r.ModuleKey.File)
	}
	if r.Source.Pack != "" {
		err := fs.WalkDir(r.Files(), r.Source.Pack, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				all = append(all, name)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("reading the pack folder %s: %w", r.Source.Pack, err)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Shipped returns all recipes that come with namibuild, sorted by name.
func Shipped(embedded fs.FS) ([]Recipe, error) {
	names, err := shipped(embedded)
	if err != nil {
		return nil, err
	}
	var all []Recipe
	var wrong []error
	for _, name := range names {
		r, err := loadShipped(name, embedded)
		all, wrong = append(all, r), append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return all, nil
}

func isPath(arg string) bool {
	return strings.ContainsRune(arg, filepath.Separator) || strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml")
}

func loadFile(name string) (Recipe, error) {
	f, err := os.Open(name)
	if err != nil {
		return Recipe{}, fmt.Errorf("reading recipe: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return Recipe{}, fmt.Errorf("reading recipe: %w", err)
	}
	dir := filepath.Dir(name)
	r, err := parse(name, data, os.DirFS(dir))
	if err != nil {
		return Recipe{}, err
	}
	r.Dir, r.Path = dir, name
	if file := r.Source.File; file != "" && !filepath.IsAbs(file) {
		r.Source.File = filepath.Join(r.Dir, file)
	}
	if key := &r.ModuleKey; key.Mode == KeyPersistent && !filepath.IsAbs(key.File) {
		key.File = filepath.Join(r.Dir, key.File)
	}
	if file := r.Source.Tarball.File; file != "" && !filepath.IsAbs(file) {
		r.Source.Tarball.File = filepath.Join(r.Dir, file)
	}
	return r, r.checkPack()
}

func loadShipped(name string, embedded fs.FS) (Recipe, error) {
	file := path.Join(folder, name+".yaml")
	data, err := fs.ReadFile(embedded, file)
	if err != nil {
		return Recipe{}, fmt.Errorf("reading recipe: %w", err)
	}
	beside, err := fs.Sub(embedded, folder)
	if err != nil {
		return Recipe{}, fmt.Errorf("reading recipe: %w", err)
	}
	r, err := parse(file, data, beside)
	if err != nil {
		return Recipe{}, err
	}
	r.files = beside
	return r, r.checkPack()
}

// checkPack returns an error if the pack of a recipe has no Dockerfile.
func (r Recipe) checkPack() error {
	if r.Source.Pack == "" {
		return nil
	}
	if _, err := fs.Stat(r.Files(), path.Join(r.Source.Pack, "Dockerfile")); err != nil {
		return fmt.Errorf("finding the pack of recipe %s: %w", r.Name, err)
	}
	return nil
}

// shipped returns the sorted names of the recipes in the binary.
func shipped(embedded fs.FS) ([]string, error) {
	files, err := fs.Glob(embedded, path.Join(folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("listing shipped recipes: %w", err)
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	slices.Sort(names)
	return names, nil
}

func notShipped(name string, names []string) error {
	suggestion := ""
	if n := nearest(name, names); n != "" {
		suggestion = fmt.Sprintf("did you mean %s? ", n)
	}
	return fmt.Errorf("no such recipe: %s; %snamibuild has %s; the path of a file has a slash or ends in .yaml",
		quote(name), suggestion, strings.Join(names, ", "))
}
