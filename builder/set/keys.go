package set

import (
	"os"
	"strings"
)

// KeysIn returns the names of the public keys in a folder.
func KeysIn(dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), KeyPrefix) {
			names = append(names, e.Name())
		}
	}
	return names
}
