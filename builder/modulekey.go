package builder

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"namibuild/builder/artifact"
	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/modkey"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

// openKey reads the recipe's module key, or its recorded signatures, once. It returns
// the fingerprint, which is empty for an ephemeral key.
func (b *build) openKey() (fingerprint string, err error) {
	switch key := b.Recipe.ModuleKey; {
	case key.Mode == recipe.KeyPersistent && b.key == nil:
		k, err := modkey.Open(key.File)
		if err != nil {
			return "", &ModuleKeyError{err}
		}
		b.key = &k
	case key.Mode == recipe.KeyRecorded && b.recorded == nil:
		if b.recorded, err = modkey.ParseTable(key.Content); err != nil {
			return "", &ModuleKeyError{fmt.Errorf("%s: %w", key.File, err)}
		}
	}
	switch {
	case b.key != nil:
		return b.key.Fingerprint, nil
	case b.recorded != nil:
		return b.recorded.Public.Fingerprint, nil
	}
	return "", nil
}

// relay starts the module-key server and returns the program that relays the
// container's requests to it. It returns nil for an ephemeral key.
func (b *build) relay(p plan.Plan) *engine.Relay {
	switch {
	case b.key != nil:
		b.keyServer = modkey.WithKey(*b.key, p.SRPM.Epoch)
	case b.recorded != nil:
		b.keyServer = modkey.WithTable(b.recorded)
	default:
		return nil
	}
	return &engine.Relay{Command: []string{plan.Relay}, Answer: b.keyServer.Answer}
}

// checkKeyKind returns a *ModuleKeyError if the kernel's build asked for a key of
// another kind.
func (b *build) checkKeyKind() error {
	if b.keyServer == nil || b.keyServer.Refused() == nil {
		return nil
	}
	return &ModuleKeyError{b.keyServer.Refused()}
}

// keepSignatures returns how many signatures were requested, and writes those that a
// persistent key has made.
func (b *build) keepSignatures(out *output) (int64, error) {
	if b.keyServer == nil {
		return 0, nil
	}
	n := b.keyServer.Asked()
	if n == 0 {
		b.Tell.Say(event.Warning, event.Rpmbuild, "no module was signed with the module key: this kernel's build did not ask for a signature")
	}
	if b.key == nil {
		return n, nil
	}
	data, err := b.keyServer.Table().Write()
	if err == nil {
		err = out.write(set.SignaturesFile, data)
	}
	return n, err
}

// checkKeyLeaks returns a *modkey.LeakError if the private half of the module key is in
// a file that the recipe adds, in the log or in a package.
func (b *build) checkKeyLeaks(ctx context.Context, out *output, made artifact.Set) error {
	if b.key == nil {
		return nil
	}
	for _, a := range b.Recipe.Sources {
		if err := b.key.CheckUnpacked(bytes.NewReader(a.Content), a.File); err != nil {
			return err
		}
	}
	err := withFile(out.part(set.LogFile), func(f io.ReadSeeker) error { return b.key.Check(f, "the log") })
	if err != nil {
		return err
	}
	for _, r := range made.RPMs {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := withFile(filepath.Join(out.part(set.RPMS), r.File), func(f io.ReadSeeker) error { return b.key.CheckPackage(f, r.File) })
		if err != nil {
			return err
		}
	}
	b.Tell.Say(event.Note, event.Collect, "the private half of the module key is in no package and not in the log")
	return nil
}

// withFile calls do with an open file.
func withFile(name string, do func(io.ReadSeeker) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return do(f)
}
