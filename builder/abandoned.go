package builder

import (
	"os"
	"path/filepath"
	"syscall"
)

// clearAbandoned removes from a folder what killed releases left in it: hidden
// folders that hold an unfinished bundle, nothing else, and nobody's lock. One with
// the bundle that was to be replaced in it stays: it may be the only copy. What
// cannot be removed stays, too, and is in nobody's way.
func clearAbandoned(folder string) {
	all, err := filepath.Glob(filepath.Join(escaped(folder), ".*"+hiddenEnd))
	if err != nil {
		return
	}
	for _, hidden := range all {
		clearOne(hidden)
	}
}

// clearOne removes a hidden folder, if a killed release has left it.
func clearOne(hidden string) {
	lock, err := os.Open(hidden)
	if err != nil {
		return
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return
	}
	if names, err := lock.Readdirnames(2); err == nil && len(names) == 1 && names[0] == unfinished {
		os.RemoveAll(hidden)
	}
}
