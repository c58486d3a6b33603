package builder

import (
	"bytes"
	"context"
	"errors"
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
	"namibuild/builder/rpm"
	"namibuild/builder/set"
	"namibuild/builder/unpack"
)

// OpenModuleKey reads a key file that nobody else may read.
func OpenModuleKey(name string) (modkey.Key, error) {
	f, err := os.Open(name)
	if err != nil {
		return modkey.Key{}, fmt.Errorf("reading the module key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("its mode is %#o, want 0600: others could read it", info.Mode().Perm())
	}
	if err != nil {
		return modkey.Key{}, fmt.Errorf("reading the module key %s: %w", name, err)
	}
	return modkey.Parse(f)
}

// openKey reads the recipe's module key, once, and gives its fingerprint.
func (b *build) openKey() (fingerprint string, err error) {
	switch key := b.Recipe.ModuleKey; {
	case key.Mode == recipe.KeyPersistent && b.key == nil:
		k, err := OpenModuleKey(key.File)
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

// ModuleKeyError says that a recipe's module key cannot be used.
type ModuleKeyError struct{ Err error }

func (e *ModuleKeyError) Error() string { return e.Err.Error() }
func (e *ModuleKeyError) Unwrap() error { return e.Err }

// relay returns the program that relays the signature requests of the build's container to the desk.
func (b *build) relay(p plan.Plan) *engine.Relay {
	switch {
	case b.key != nil:
		b.desk = modkey.WithKey(*b.key, p.SRPM.Epoch)
	case b.recorded != nil:
		b.desk = modkey.WithTable(b.recorded)
	default:
		return nil
	}
	return &engine.Relay{Command: []string{plan.Relay}, Answer: b.desk.Answer}
}

// refused says that the kernel's build asked for a key of another kind.
func (b *build) refused() error {
	if b.desk == nil || b.desk.Refused() == nil {
		return nil
	}
	return &ModuleKeyError{b.desk.Refused()}
}

// signed tells how many modules were signed, and keeps the signatures of a
// persistent key.
func (b *build) signed(out *output) (int64, error) {
	if b.desk == nil {
		return 0, nil
	}
	n := b.desk.Asked()
	if n == 0 {
		b.Tell.Say(event.Warning, event.Rpmbuild, "no module was signed with the module key: this kernel's build did not ask for a signature")
	}
	if b.key == nil {
		return n, nil
	}
	data, err := b.desk.Table().Write()
	if err == nil {
		err = out.write(set.SignaturesFile, data)
	}
	return n, err
}

// scan proves that the private half of the module key went nowhere: it is in no
// file that the recipe adds, not in the log, in no package.
func (b *build) scan(ctx context.Context, out *output, made artifact.Set) error {
	if b.key == nil {
		return nil
	}
	for _, a := range b.Recipe.Sources {
		if err := unpack.Walk(bytes.NewReader(a.Content), a.File, b.scanReader); err != nil {
			return err
		}
	}
	if err := b.scanFile(out.part(set.LogFile), "the log"); err != nil {
		return err
	}
	for _, r := range made.RPMs {
		if err := ctx.Err(); err != nil {
			return err
		}
		file := filepath.Join(out.part(set.RPMS), r.File)
		if err := errors.Join(b.scanFile(file, r.File), b.scanPayload(file, r.File)); err != nil {
			return err
		}
	}
	b.Tell.Say(event.Note, event.Collect, "the private half of the module key is in no package and not in the log")
	return nil
}

func (b *build) scanFile(name, what string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return b.scanReader(f, what)
}

func (b *build) scanReader(r io.Reader, what string) error {
	found, err := b.key.Scan(r)
	if err == nil && found {
		err = &modkey.LeakError{Where: what}
	}
	return err
}

// scanPayload looks at the files of a package, and at what is compressed in them.
func (b *build) scanPayload(name, what string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := rpm.ReadPackage(f)
	if err != nil {
		return err
	}
	payload, err := p.Payload(f)
	if err != nil {
		return err
	}
	defer payload.Close()
	for {
		entry, err := payload.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = unpack.Walk(payload, entry.Name+" of "+what, b.scanReader)
		}
		if err != nil {
			return err
		}
	}
}
