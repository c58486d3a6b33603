// Package topdir makes the patched topdir of a build, or takes the one that an earlier
// build has kept.
//
// A [Source] is an SRPM and what the recipe changes in it. [Source.Preview] tells what
// the changes do, [Source.Write] writes the topdir as a tar, and [Source.Open] returns
// a [Topdir] to send into a container. Preview and Open keep what they have found or
// made in the store, under a key of the program, the SRPM and the changes, and take it
// from there the next time. All three tell events of event.Prepare, and their errors are
// *event.StepError.
package topdir

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/recipe"
	"namibuild/builder/source"
	"namibuild/builder/unpack"
)

// Source is an SRPM and the changes to it.
type Source struct {
	// SRPM is the verified SRPM, and Tarball the recipe's tarball, if it has one.
	SRPM, Tarball fetch.File
	// Recipe has the tag and the changes.
	Recipe recipe.Recipe
	// Store keeps topdirs and previews.
	Store *fetch.Store
	// Program identifies the code of the program, which decides what is made of a
	// source. If it is empty, nothing is kept.
	Program string
	// NoCache ignores what was kept. The new result is kept.
	NoCache bool
	// Tell receives the events.
	Tell event.Sink
}

// Topdir is a patched topdir: a tar in a file without a name, or the packed tar that an
// earlier build has kept in the store.
type Topdir struct {
	// Preview is what was changed.
	Preview source.Preview
	// Size is the size of the tar in bytes.
	Size   int64
	file   *os.File
	packed bool // the file is from the store
	store  *fetch.Store
	// key is the store's key for a new tar, or empty if the tar is not to be kept.
	key string
}

// Close frees the topdir.
func (t *Topdir) Close() error { return t.file.Close() }

// note is what the store has beside a kept topdir.
type note struct {
	Size    int64          `json:"size"`
	Preview source.Preview `json:"preview"`
}

// Files returns the verified content of the source, from its beginning.
func (s Source) Files() source.Files {
	in := source.Files{Name: filepath.Base(s.SRPM.Path), SRPM: s.SRPM.Content()}
	if s.Tarball.SHA256 != "" {
		in.Tarball = s.Tarball.Content()
	}
	return in
}

// key returns the store's key for something that this program makes of the source. It
// is empty if the program is not known: another one might make something else.
func (s Source) key(what string) string {
	if s.Program == "" {
		return ""
	}
	return what + " " + s.Program + " " + source.Key(s.SRPM.SHA256, s.Recipe)
}

// kept opens what an earlier run has kept under a key, and decodes its note.
func (s Source) kept(key string, note any) (*os.File, bool) {
	if s.NoCache || key == "" {
		return nil, false
	}
	return s.Store.OpenDerived(key, note)
}

// Open returns the patched topdir: the one that an earlier build of this program has
// made of the same source and the same changes, or a new one. The caller closes it.
func (s Source) Open(ctx context.Context) (*Topdir, error) {
	key := s.key("topdir")
	var n note
	if f, ok := s.kept(key, &n); ok {
		s.Tell.Say(event.Begin, event.Prepare, "kept from an earlier build")
		s.tellPrepared(n.Preview, ", kept from an earlier build")
		return &Topdir{Preview: n.Preview, Size: n.Size, file: f, packed: true}, nil
	}
	f, err := s.Store.Scratch()
	if err != nil {
		return nil, &event.StepError{Step: event.Prepare, Err: err}
	}
	t := &Topdir{file: f, store: s.Store, key: key}
	t.Preview, err = s.Write(ctx, f)
	if err == nil {
		t.Size, err = f.Seek(0, io.SeekCurrent)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return t, nil
}

// Write writes the patched topdir to w, as a tar. It neither uses nor keeps anything
// in the store.
func (s Source) Write(ctx context.Context, w io.WriteSeeker) (source.Preview, error) {
	r := s.Recipe
	s.Tell.Say(event.Begin, event.Prepare, "%s, tag %q", event.Count(len(r.Config)+len(r.Patches)+len(r.Sources)+len(r.Edits), "edit"), r.Tag)
	preview, err := source.Prepare(ctx, s.Files(), r, w, s.Tell.Bytes(event.Prepare))
	if err != nil {
		return preview, &event.StepError{Step: event.Prepare, Err: err}
	}
	s.tellPrepared(preview, "")
	return preview, nil
}

// tellPrepared ends the step. how says where the topdir is from.
func (s Source) tellPrepared(p source.Preview, how string) {
	for _, text := range p.Notes {
		s.Tell.Say(event.Note, event.Prepare, "%s", text)
	}
	for _, text := range p.Warnings {
		s.Tell.Say(event.Warning, event.Prepare, "%s", text)
	}
	s.Tell.Say(event.End, event.Prepare, "%s edited, %s changed in %s%s", event.Count(len(p.Changes), "file"), event.Count(len(p.Renames), "name"), p.Package, how)
}

// Send calls send with a reader of the tar, and keeps a new tar in the store on the
// way. It tells the progress of event.Upload. Failure to keep the tar is only a
// warning. Send is called once.
func (t *Topdir) Send(ctx context.Context, tell event.Sink, send func(tar io.Reader) error) error {
	tar, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer tar.Close()
	var k *keeper
	var all io.Reader = tar
	if t.key != "" {
		k = startKeeping(t.store, t.key)
		all = io.TeeReader(tar, k)
	}
	err = send(event.NewReader(all, t.Size, tell.Bytes(event.Upload)))
	if err == nil {
		_, err = io.Copy(io.Discard, all) // an engine need not read behind a tar's end mark
	}
	if k != nil {
		t.endKeeping(k, err == nil, tell)
	}
	return err
}

// open returns the tar from its beginning. The caller closes it, and the topdir
// later.
func (t *Topdir) open(ctx context.Context) (io.ReadCloser, error) {
	if !t.packed {
		return io.NopCloser(t.file), nil
	}
	return unpack.OpenParallel(ctx, t.file, t.Size)
}

// endKeeping keeps a tar that was read to its end, and drops one that was not.
func (t *Topdir) endKeeping(k *keeper, complete bool, tell event.Sink) {
	all, err := k.end(complete, note{t.Size, t.Preview})
	switch {
	case err != nil && complete:
		tell.Say(event.Warning, event.Upload, "the patched sources are not kept for the next build: %v", err)
	case err == nil && complete:
		tell.Say(event.Note, event.Upload, "the patched sources are kept for the next build: %s has %.2f GB of them, at most %.2f", t.store.Dir(), float64(all)/1e9, float64(fetch.MaxDerived)/1e9)
	}
}
