package builder

import (
	"context"
	"fmt"
	"io/fs"

	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
)

// LockError says that a build is not the one that its lock pins, and what it has
// otherwise; or that a release has no lock.
type LockError struct {
	// Differences are sentences; none: there is no lock.
	Differences []string
}

func (e *LockError) Error() string {
	if len(e.Differences) == 0 {
		return "a release is built from a lock, and there is none"
	}
	return fmt.Sprintf("the build is not the locked one, it differs in %s", event.Count(len(e.Differences), "thing"))
}

// Lock gives the lock of a recipe that stands in a file of that name: the plan
// that Build would carry out, the page and all that lies beside it, the builder
// image. Without an engine the image's definition alone is pinned, and a source
// that was not packed yet is a *NotPackedError.
func Lock(ctx context.Context, o PlanOptions, file string, page []byte) (plan.Lock, error) {
	b := planning(o)
	in, err := b.input(ctx)
	if err != nil {
		return plan.Lock{}, err
	}
	preview, err := b.look(ctx, in)
	if err != nil {
		return plan.Lock{}, err
	}
	l := plan.Lock{Page: plan.LockedFile{File: file, Content: page}}
	if l.Plan, err = b.planOf(srpmOf(in, preview), in.Waived); err != nil {
		return l, err
	}
	if l.Beside, err = b.beside(); err != nil || b.Engine == nil {
		return l, err
	}
	image, err := b.image(ctx)
	l.Layers = image.Layers
	return l, err
}

// beside are the files that a recipe is made of beside its own.
func (b *build) beside() ([]plan.LockedFile, error) {
	names, err := b.Recipe.Beside()
	if err != nil {
		return nil, err
	}
	var all []plan.LockedFile
	for _, name := range names {
		data, err := fs.ReadFile(b.Recipe.Files(), name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		info, err := fs.Stat(b.Recipe.Files(), name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		all = append(all, plan.LockedFile{File: name, Executable: info.Mode()&0o111 != 0, Content: data})
	}
	return all, nil
}

// checkRelease holds that a release has a lock and is the build that it pins.
func (b *build) checkRelease() error {
	if b.Release && b.Lock == nil {
		return &LockError{}
	}
	return nil
}

// checkLock holds a build against its lock; layers may be left open.
func (b *build) checkLock(p plan.Plan, layers []string) error {
	if b.Lock == nil {
		return nil
	}
	// signatures that the locked key has made are as good as the key
	if locked := b.Lock.Plan.ModuleKey; p.ModuleKey.Mode == string(recipe.KeyRecorded) && locked.Mode == string(recipe.KeyPersistent) &&
		p.ModuleKey.Fingerprint == locked.Fingerprint {
		p.ModuleKey = locked
	}
	if diff := b.Lock.Differences(p, layers); len(diff) > 0 {
		return &LockError{diff}
	}
	return nil
}

// warnRelease says what a release should not be: one that nobody can make again.
func (b *build) warnRelease(p plan.Plan) {
	if b.Release && !p.ModuleKey.Reproducible() {
		b.Tell.Say(event.Warning, "", "this release is not reproducible: its module key is ephemeral")
	}
}

// lockedImage gives the builder image, if the lock's is the same.
func (b *build) lockedImage(ctx context.Context, p plan.Plan) (engine.Image, error) {
	b.warnRelease(p)
	image, err := b.image(ctx)
	if err == nil {
		err = b.checkLock(p, image.Layers)
	}
	return image, err
}

// keepLock puts the lock beside what is built by it.
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
