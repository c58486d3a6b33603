package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"

	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/recipe"
	"namibuild/builder/trust"
)

// input brings the SRPM and the tarball in.
func (b *build) input(ctx context.Context) (fetch.File, error) {
	name := sourceName(b.Recipe.Source)
	b.Tell.Say(event.Begin, event.Source, "%s", name)
	f, err := b.srpm(ctx)
	if err != nil {
		return fetch.File{}, &event.StepError{Step: event.Source, Err: err}
	}
	if f.Waived != "" {
		b.Tell.Say(event.Warning, event.Source, "the source is taken although %s", f.Waived)
	}
	from := ""
	if f.Cached {
		from = ", from the store"
	}
	b.Tell.Say(event.End, event.Source, "%s, sha256 %.12s…%s", name, f.SHA256, from)
	if err := b.tarball(ctx); err != nil {
		f.Close()
		return fetch.File{}, err
	}
	return f, nil
}

func sourceName(s recipe.Source) string {
	if s.Pack != "" {
		return s.Pack + ".src.rpm (packed here)"
	}
	return path.Base(s.URL + filepath.ToSlash(s.File))
}

// srpm brings in the SRPM: the locked one from SRPMFile, or the recipe's.
func (b *build) srpm(ctx context.Context) (fetch.File, error) {
	verify, err := b.verifier()
	switch {
	case err != nil:
		return fetch.File{}, err
	case b.SRPMFile != "" && b.Lock != nil:
		return b.lockedSRPM()
	case b.Recipe.Source.Pack != "":
		return b.packed(ctx, verify)
	}
	return b.fetch(ctx, verify)
}

// verifier returns the check of the recipe's SRPM. If the recipe names an unknown key
// and InsecureSource is set, the check always fails, so that it is waived.
func (b *build) verifier() (fetch.Verify, error) {
	verify, err := trust.Verifier(b.Images, b.Recipe)
	switch unknown := errors.As(err, new(*trust.UnknownKeyError)); {
	case unknown && b.InsecureSource:
		return func(io.Reader) error { return err }, nil
	case unknown:
		return nil, &UntrustedError{err}
	}
	return verify, err
}

// lockedSRPM returns SRPMFile. Only its digest counts, because the lock has it.
func (b *build) lockedSRPM() (fetch.File, error) {
	f, err := b.Store.Check(b.SRPMFile, b.Lock.Plan.SRPM.SHA256, nil)
	if err != nil {
		return f, fmt.Errorf("checking %s: %w", path.Base(b.SRPMFile), err)
	}
	return f, nil
}

func (b *build) fetch(ctx context.Context, verify fetch.Verify) (fetch.File, error) {
	src := b.Recipe.Source
	in := fetch.Input{
		URL: src.URL, Mirrors: src.Mirrors, File: src.File, SHA256: src.SHA256, Verify: verify, Offline: b.Offline, Warn: b.warnSource,
	}
	if b.InsecureSource {
		in.Waive = trust.Waive
	}
	f, err := b.Store.Fetch(ctx, in, b.Tell.Bytes(event.Source))
	switch {
	case src.File != "" && errors.Is(err, fs.ErrNotExist):
		err = &NoSourceFileError{src.File, err}
	case trust.Untrusted(err) && !b.InsecureSource:
		err = &UntrustedError{err}
	}
	return f, err
}

func (b *build) warnSource(text string) { b.Tell.Say(event.Warning, event.Source, "%s", text) }

// tarball brings in the tarball that the SRPM leaves out.
func (b *build) tarball(ctx context.Context) error {
	t := b.Recipe.Source.Tarball
	if t.Name() == "" {
		return nil
	}
	b.Tell.Say(event.Begin, event.Source, "%s", t.Name())
	f, err := b.Store.Fetch(ctx, fetch.Input{
		URL: t.URL, File: t.File, SHA256: t.SHA256, Verify: func(io.Reader) error { return nil }, Offline: b.Offline, Warn: b.warnSource,
	}, b.Tell.Bytes(event.Source))
	if err != nil {
		return &event.StepError{Step: event.Source, Err: err}
	}
	b.leftOut = f
	b.Tell.Say(event.End, event.Source, "%s, sha256 %.12s…", t.Name(), f.SHA256)
	return nil
}

// closeInput frees the SRPM and the tarball. They were only read, so an error says
// nothing.
func (b *build) closeInput(in fetch.File) {
	in.Close()
	b.leftOut.Close()
}
