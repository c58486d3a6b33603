package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"namibuild/builder/event"
	"namibuild/builder/set"
)

// referenceForm is HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…, with a host that has a
// dot or a port.
var referenceForm = regexp.MustCompile(`^[\w-]+([.:][\w.:-]*)/[\w./-]+(:[\w.-]+|@sha256:[0-9a-f]{64})$`)

// OpenPublished returns the path of a published set or package. If a file or folder has the
// path where, that is the result. Otherwise where is a release in a registry,
// HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…, which is pulled into a temporary folder;
// its digests are checked, its signatures are not. If where is neither, the error is
// fs.ErrNotExist; errors of the pull are *event.StepError. The caller calls remove, which
// deletes what was pulled.
func OpenPublished(ctx context.Context, where string, o RegistryOptions) (path string, remove func() error, err error) {
	_, err = os.Stat(where)
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return where, func() error { return nil }, nil // whoever reads it reports another error
	}
	if !referenceForm.MatchString(where) {
		return "", nil, &fs.PathError{Op: "open", Path: where, Err: fs.ErrNotExist}
	}
	tmp, err := os.MkdirTemp("", "namibuild-pull-*")
	if err != nil {
		return "", nil, &event.StepError{Step: event.Pull, Err: err}
	}
	remove = func() error { return os.RemoveAll(tmp) }
	path = filepath.Join(tmp, "set")
	if _, err := Pull(ctx, where, path, PullOptions{RegistryOptions: o, Unverified: true}); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return path, remove, nil
}

// NotBuiltError says that a folder is not the output directory of a build.
type NotBuiltError struct{ Dir string }

func (e *NotBuiltError) Error() string {
	return fmt.Sprintf("%s is not the output directory of a build: it has no %s", e.Dir, set.RecordFile)
}

// FindBuilt returns the output directory of the build that a path belongs to: the directory
// itself, its folder of packages, or one of these. The error is a *NotBuiltError for
// another folder, and is fs.ErrNotExist for every other path, which may name a recipe.
func FindBuilt(path string) (string, error) {
	dir := set.DirOf(path)
	_, err := os.Stat(filepath.Join(dir, set.RecordFile))
	if err == nil {
		return dir, nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "", &NotBuiltError{path}
	}
	return "", fmt.Errorf("finding the set %s: %w", path, fs.ErrNotExist)
}
