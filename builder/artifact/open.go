package artifact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoPackages reports a folder that should hold a set and holds no package.
var ErrNoPackages = errors.New("it holds no *.rpm")

// Open reads the set in a folder and checks every package as Collect does. It does
// not read folders inside it. The error wraps ErrNoPackages if there is no package.
func Open(dir string) (Set, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return Set{}, fmt.Errorf("opening set: %w", err)
	}
	set := Set{Dir: dir}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".rpm") {
			continue
		}
		one, err := openRPM(filepath.Join(dir, e.Name()))
		if err != nil {
			return Set{}, err
		}
		set.RPMs = append(set.RPMs, one)
	}
	if len(set.RPMs) == 0 {
		return Set{}, fmt.Errorf("opening %s: %w", dir, ErrNoPackages)
	}
	return set, nil
}

func openRPM(path string) (RPM, error) {
	f, err := os.Open(path)
	if err != nil {
		return RPM{}, fmt.Errorf("opening set: %w", err)
	}
	defer f.Close()
	return check(f, filepath.Base(path))
}
