package artifact

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
)

// ConfigError reports built kernels that do not have the recipe's options. If Wrong
// is empty, no package holds the configuration of a kernel.
type ConfigError struct{ Wrong []WrongOption }

// WrongOption is an option that a kernel does not have as the recipe wants it.
type WrongOption struct {
	Want recipe.Option
	Got  string // the kernel's value, n if it has none
	// Path is the path of the configuration in the package, File the package's
	// file name.
	Path, File string
}

func (e *ConfigError) Error() string {
	if len(e.Wrong) == 0 {
		return "no package holds the configuration of a kernel (/boot/config-… or /lib/modules/…/config), so the recipe's options cannot be checked"
	}
	all := make([]string, len(e.Wrong))
	for i, w := range e.Wrong {
		all[i] = fmt.Sprintf("%s: want %s, got %s in %s of %s", w.Want.Name, w.Want.Value, w.Got, w.Path, w.File)
	}
	return strings.Join(all, "; ")
}

// configPath is where kernel packages have their .config: those of el6, el7 and
// ELRepo in /boot, those of el8 and el9 in /lib/modules, with a %ghost in /boot.
var configPath = regexp.MustCompile(`^(?:/usr)?(?:/boot/config-[^/]+|/lib/modules/[^/]+/config)$`)

// largestConfig is the largest .config that is read, in bytes. el9's has 200,000.
const largestConfig = 8 << 20

// CheckConfig checks that all kernels in the set have these options, by the
// configurations in their packages. A *ConfigError reports all options that differ
// at once.
func (s Set) CheckConfig(options []recipe.Option) error {
	if len(options) == 0 {
		return nil
	}
	found, wrong := false, &ConfigError{}
	for _, r := range s.RPMs {
		configs, err := readConfigs(filepath.Join(s.Dir, r.File))
		if err != nil {
			return fmt.Errorf("reading the configuration in %s: %w", r.File, err)
		}
		for _, c := range configs {
			found = true
			wrong.Wrong = append(wrong.Wrong, c.compare(options, r.File)...)
		}
	}
	if !found || len(wrong.Wrong) > 0 {
		return wrong
	}
	return nil
}

// config is the configuration of one kernel.
type config struct {
	path   string
	values map[string]string // by the names of options
}

// compare returns the options that the configuration does not have.
func (c config) compare(options []recipe.Option, file string) []WrongOption {
	var wrong []WrongOption
	for _, o := range options {
		got, ok := c.values[o.Name]
		if !ok {
			got = "n" // kconfig writes no line for an option whose dependencies are not met
		}
		if !o.Same(got) {
			wrong = append(wrong, WrongOption{o, got, c.path, file})
		}
	}
	return wrong
}

// readConfigs reads the configurations in a package. Most packages have none; their
// payloads are not read.
func readConfigs(name string) ([]config, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<16)
	pkg, err := rpm.ReadPackage(in)
	if err != nil {
		return nil, err
	}
	left, err := configPaths(pkg)
	if err != nil || len(left) == 0 {
		return nil, err
	}
	payload, err := pkg.Payload(in)
	if err != nil {
		return nil, err
	}
	defer payload.Close()
	var all []config
	for len(left) > 0 {
		entry, err := payload.Next()
		if err == io.EOF {
			return nil, errors.New("the payload lacks a file that the header lists")
		}
		if err != nil {
			return nil, err
		}
		path := strings.TrimPrefix(entry.Name, ".")
		if !left[path] {
			continue
		}
		delete(left, path)
		c, err := parseConfig(path, payload, entry.Size)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// configPaths returns the paths of the configurations in a package's payload.
func configPaths(pkg *rpm.Package) (map[string]bool, error) {
	const typeMask, typeRegular = 0o170000, 0o100000
	files, err := pkg.Files()
	paths := map[string]bool{}
	for _, f := range files {
		if f.Mode&typeMask == typeRegular && f.Flags&rpm.FlagGhost == 0 && configPath.MatchString(f.Path) {
			paths[f.Path] = true
		}
	}
	return paths, err
}

// parseConfig reads a configuration of size bytes.
func parseConfig(path string, r io.Reader, size int64) (config, error) {
	if size > largestConfig {
		return config{}, fmt.Errorf("%s has %d bytes, want at most %d", path, size, int64(largestConfig))
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return config{}, err
	}
	c := config{path, map[string]string{}}
	for line := range strings.Lines(string(text)) {
		if o, ok := recipe.OptionOf(line); ok {
			c.values[o.Name] = o.Value
		}
	}
	return c, nil
}
