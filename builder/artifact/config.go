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

// ConfigError says that built kernels do not have the recipe's options, or,
// with nothing Wrong, that no kernel was there to look them up in.
type ConfigError struct{ Wrong []WrongOption }

// WrongOption is an option that did not stick.
type WrongOption struct {
	Want recipe.Option
	Got  string // the value that the kernel has; n where it has none
	// Path is the configuration's in the package of that File.
	Path, File string
}

func (e *ConfigError) Error() string {
	if len(e.Wrong) == 0 {
		return "no package holds a kernel's configuration (/boot/config-… or /lib/modules/…/config) to look the recipe's options up in"
	}
	all := make([]string, len(e.Wrong))
	for i, w := range e.Wrong {
		all[i] = fmt.Sprintf("%s: want %s, got %s in %s of %s", w.Want.Name, w.Want.Value, w.Got, w.Path, w.File)
	}
	return strings.Join(all, "; ")
}

// configPath is where kernel packages keep their .config: el6, el7 and ELRepo
// below /boot, el8 and el9 below /lib/modules with the other one as a %ghost.
var configPath = regexp.MustCompile(`^(?:/usr)?(?:/boot/config-[^/]+|/lib/modules/[^/]+/config)$`)

// largestConfig is more than any .config has, in bytes: el9's has 200,000.
const largestConfig = 8 << 20

// CheckConfig looks options up in every kernel's configuration of the set. What
// does not agree is a *ConfigError, all of it at once.
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

// config is one kernel's: the values of its options by name.
type config struct {
	path   string
	values map[string]string
}

func (c config) compare(options []recipe.Option, file string) []WrongOption {
	var wrong []WrongOption
	for _, o := range options {
		got, ok := c.values[o.Name]
		if !ok {
			got = "n" // an option that cannot be asked for has no line
		}
		if !o.Same(got) {
			wrong = append(wrong, WrongOption{o, got, c.path, file})
		}
	}
	return wrong
}

// readConfigs reads the configurations in a package; most have none, and their
// payload is not read.
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
			return nil, errors.New("the payload lacks a file of the header")
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

// configPaths are the configurations that a package's payload holds.
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
