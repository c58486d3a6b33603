package artifact

import (
	"fmt"
	"os"
	"path/filepath"
)

// Read reads a package file to its end and checks all digests in it. The name of the file need
// not be that of the package.
func Read(path string) (RPM, error) {
	f, err := os.Open(path)
	if err != nil {
		return RPM{}, fmt.Errorf("reading a package: %w", err)
	}
	defer f.Close()
	one, err := check(f)
	if err != nil {
		return RPM{}, fmt.Errorf("reading %s: %w", filepath.Base(path), err)
	}
	one.File = filepath.Base(path)
	return one, nil
}
