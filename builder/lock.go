package builder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

// FindLock reads the lock of a published set, which is a *.lock file in the set's
// folder. published is the set or one of its packages. If the set has no lock, or more
// than one, the error is a *NoLockError.
func FindLock(published string) (plan.Lock, error) {
	dir := set.DirOf(published)
	found, err := locksIn(dir)
	if err != nil {
		return plan.Lock{}, fmt.Errorf("looking for the lock: %w", err)
	}
	if len(found) != 1 {
		return plan.Lock{}, &NoLockError{dir, found}
	}
	file := filepath.Join(dir, found[0])
	f, err := os.Open(file)
	if err != nil {
		return plan.Lock{}, fmt.Errorf("reading the lock: %w", err)
	}
	defer f.Close()
	l, err := plan.ParseLock(f)
	if err != nil {
		return l, fmt.Errorf("%s: %w", file, err)
	}
	return l, nil
}

// locksIn returns the names of the locks in a folder. A folder that does not exist has
// none.
func locksIn(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if name, lock := strings.CutSuffix(e.Name(), ".lock"); lock && name != "" {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// LockOf makes a lock for a published set that has none: from the plan and the image
// in the set's record, and from the recipe that the set is said to come from, with the
// name and the content of its page. Build reports if the recipe does not make that
// plan. A set without a record is set.ErrNoRecord.
func LockOf(published string, r recipe.Recipe, file string, page []byte) (plan.Lock, error) {
	record, err := requireRecord(published)
	if err != nil {
		return plan.Lock{}, fmt.Errorf("rebuilding %s: %w", published, err)
	}
	beside, err := filesOf(r)
	return plan.Lock{Plan: record.Plan, Page: plan.LockedFile{File: file, Content: page}, Beside: beside, Layers: record.Image.Layers}, err
}

// filesOf returns the files that the page of a recipe names.
func filesOf(r recipe.Recipe) ([]plan.LockedFile, error) {
	names, err := r.Beside()
	if err != nil {
		return nil, err
	}
	var all []plan.LockedFile
	for _, name := range names {
		data, err := fs.ReadFile(r.Files(), name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		info, err := fs.Stat(r.Files(), name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		all = append(all, plan.LockedFile{File: name, Executable: info.Mode()&0o111 != 0, Content: data})
	}
	return all, nil
}

// checkRelease returns a *LockError for a release without a lock.
func (b *build) checkRelease() error {
	if b.Release && b.Lock == nil {
		return &LockError{}
	}
	return nil
}

// checkLock compares a plan and the layers of the image with the lock. Nil layers are
// not compared.
func (b *build) checkLock(p plan.Plan, layers []string) error {
	if b.Lock == nil {
		return nil
	}
	// Signatures that the locked key has made replace the key.
	if locked := b.Lock.Plan.ModuleKey; p.ModuleKey.Mode == string(recipe.KeyRecorded) && locked.Mode == string(recipe.KeyPersistent) &&
		p.ModuleKey.Fingerprint == locked.Fingerprint {
		p.ModuleKey = locked
	}
	if diff := b.Lock.Differences(p, layers); len(diff) > 0 {
		return &LockError{diff}
	}
	return nil
}

// lockedImage returns the builder image, if it is the lock's.
func (b *build) lockedImage(ctx context.Context, p plan.Plan) (engine.Image, error) {
	if b.Release && !p.ModuleKey.Reproducible() {
		b.Tell.Say(event.Warning, "", "this release is not reproducible: its module key is ephemeral")
	}
	image, err := b.image(ctx)
	if err == nil {
		err = b.checkLock(p, image.Layers)
	}
	return image, err
}

// keepLock writes the lock of a build beside the packages.
func (b *build) keepLock(out *output) error {
	if b.Lock == nil {
		return nil
	}
	data, err := b.Lock.Write()
	if err == nil {
		err = out.write(b.Recipe.Name+".lock", data)
	}
	return err
}
