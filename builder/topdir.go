package builder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/source"
	"namibuild/builder/unpack"
)

// topdir is the patched topdir of a build: a tar in a file without a name, or
// the packed tar that an earlier build has kept in the store. Close frees it.
type topdir struct {
	file *os.File
	size int64 // of the tar, in bytes
	// packed tells that the file is from the store.
	packed bool
	// key is the store's key for a new tar, or empty if the tar is not to be kept.
	key     string
	preview source.Preview
}

// cacheKey returns the store's key for something that this program makes of a
// source and the changes in the recipe. It is empty if nothing is known of the
// program: another one might make something else of them.
func (b *build) cacheKey(what string, in fetch.File) string {
	if b.Program == "" {
		return ""
	}
	return what + " " + b.Program + " " + source.Key(in.SHA256, b.Recipe)
}

// kept opens what an earlier run has kept under a key, and reads its note.
func (b *build) kept(key string, note any) (*os.File, bool) {
	if b.NoCache || key == "" {
		return nil, false
	}
	return b.Store.OpenDerived(key, note)
}

// keptTopdir is the note that the store has of a kept topdir.
type keptTopdir struct {
	Size    int64          `json:"size"`
	Preview source.Preview `json:"preview"`
}

func (t *topdir) Close() error { return t.file.Close() }

// prepare returns the patched topdir: the one that an earlier build of this
// program has made of the same source and the same changes, or a new one.
func (b *build) prepare(ctx context.Context, in fetch.File) (*topdir, error) {
	key := b.cacheKey("topdir", in)
	var note keptTopdir
	if f, ok := b.kept(key, &note); ok {
		b.Tell.Say(event.Begin, event.Prepare, "kept from an earlier build")
		b.tellPrepared(note.Preview, ", kept from an earlier build")
		return &topdir{file: f, size: note.Size, packed: true, preview: note.Preview}, nil
	}
	f, err := b.Store.Scratch()
	if err != nil {
		return nil, &event.StepError{Step: event.Prepare, Err: err}
	}
	t := &topdir{file: f, key: key}
	t.preview, err = b.patch(ctx, in, f)
	if err == nil {
		t.size, err = f.Seek(0, io.SeekCurrent)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return t, nil
}

// open returns the tar from its beginning. The caller closes it, and the topdir
// later.
func (t *topdir) open(ctx context.Context) (io.ReadCloser, error) {
	if !t.packed {
		return io.NopCloser(t.file), nil
	}
	return unpack.OpenParallel(ctx, t.file, t.size)
}

// upload sends the topdir into the container, and keeps it on the way.
func (b *build) upload(ctx context.Context, box Container, t *topdir) error {
	tar, err := t.open(ctx)
	if err != nil {
		return &event.StepError{Step: event.Upload, Err: err}
	}
	defer tar.Close()
	vary, err := b.varyFiles()
	if err != nil {
		return &event.StepError{Step: event.Upload, Err: err}
	}
	b.Tell.Say(event.Begin, event.Upload, "patched sources")
	var k *keeper
	var source io.Reader = tar
	if t.key != "" {
		k = startKeeping(b.Store, t.key)
		source = io.TeeReader(tar, k)
	}
	sent := event.NewReader(source, t.size, b.Tell.Bytes(event.Upload))
	err = box.Upload(ctx, io.MultiReader(bytes.NewReader(vary), sent))
	if err == nil {
		_, err = io.Copy(io.Discard, source) // an engine need not read behind a tar's end mark
	}
	if k != nil {
		b.endKeeping(k, t, err == nil)
	}
	if err != nil {
		return &event.StepError{Step: event.Upload, Err: err}
	}
	b.Tell.Say(event.End, event.Upload, "patched sources, %.1f MB", float64(t.size)/1e6)
	return nil
}

// endKeeping keeps a topdir that was read to its end. Failure to keep it is only
// a warning.
func (b *build) endKeeping(k *keeper, t *topdir, whole bool) {
	all, err := k.end(whole, keptTopdir{t.size, t.preview})
	switch {
	case err != nil && whole:
		b.Tell.Say(event.Warning, event.Upload, "the patched sources are not kept for the next build: %v", err)
	case err == nil && whole:
		b.Tell.Say(event.Note, event.Upload, "the patched sources are kept for the next build: %s has %.2f GB of such, at most %.2f", b.Store.Dir(), float64(all)/1e9, float64(fetch.MaxDerived)/1e9)
	}
}
