package artifact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoPackages: a folder that should hold a set holds no package.
var ErrNoPackages = errors.New("it holds no *.rpm")

// Open reads the set that a folder holds and checks every package as Collect
// does. Folders in it are not looked into.
func Open(dir string) (Set, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return Set{}, fmt.Errorf("opening a set: %w", err)
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
		return RPM{}, fmt.Errorf("opening a set: %w", err)
	}
	defer f.Close()
	return check(f, filepath.Base(path))
}
