package builder

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"namibuild/builder/fetch"
	"namibuild/builder/source"
)

// topdir is the patched topdir of a build: a nameless tar, or one that an
// earlier build has kept. Close frees it.
type topdir struct {
	file *os.File
	size int64 // bytes of the tar
	// key is what it will be kept under; empty: it is from the store, packed.
	key     string
	preview source.Preview
}

// keptTopdir is the note beside a kept topdir.
type keptTopdir struct {
	Size    int64          `json:"size"`
	Preview source.Preview `json:"preview"`
}

func (t *topdir) Close() error { return t.file.Close() }

// prepare gives the patched topdir: the one that an earlier build has made of
// the same source and the same changes, or a new one.
func (b *build) prepare(ctx context.Context, in fetch.File) (*topdir, error) {
	key := source.Key(in.SHA256, b.Recipe)
	if !b.NoCache {
		var note keptTopdir
		if f, ok := b.Store.OpenDerived(key, &note); ok {
			b.tell(Begin, StepPrepare, "kept from an earlier build")
			b.tellPrepared(note.Preview, ", kept from an earlier build")
			return &topdir{file: f, size: note.Size, preview: note.Preview}, nil
		}
	}
	f, err := b.Store.Scratch()
	if err != nil {
		return nil, &StepError{StepPrepare, err}
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

// open gives the tar from its beginning. The caller closes it, and the topdir
// later.
func (t *topdir) open() (io.ReadCloser, error) {
	if t.key != "" {
		return io.NopCloser(t.file), nil
	}
	packed, err := zstd.NewReader(t.file, zstd.WithDecoderConcurrency(2), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return packed.IOReadCloser(), nil
}

// upload sends the topdir into the container, and keeps it on the way.
func (b *build) upload(ctx context.Context, box Container, t *topdir) error {
	tar, err := t.open()
	if err != nil {
		return &StepError{StepUpload, err}
	}
	defer tar.Close()
	b.tell(Begin, StepUpload, "patched sources")
	var k *keeper
	var source io.Reader = tar
	if t.key != "" {
		k = startKeeping(b.Store, t.key)
		source = io.TeeReader(tar, k)
	}
	err = box.Upload(ctx, &reading{r: source, total: t.size, tell: b.bytes(StepUpload)})
	if err == nil {
		_, err = io.Copy(io.Discard, source) // an engine need not read behind a tar's end mark
	}
	if k != nil {
		b.endKeeping(k, t, err == nil)
	}
	if err != nil {
		return &StepError{StepUpload, err}
	}
	b.tell(End, StepUpload, "patched sources, %.1f MB", float64(t.size)/1e6)
	return nil
}

// endKeeping keeps a topdir that was read whole. That it cannot is no reason not
// to build.
func (b *build) endKeeping(k *keeper, t *topdir, whole bool) {
	all, err := k.end(whole, keptTopdir{t.size, t.preview})
	switch {
	case err != nil && whole:
		b.tell(Warning, StepUpload, "the patched sources are not kept for the next build: %v", err)
	case err == nil && whole:
		b.tell(Note, StepUpload, "the patched sources are kept for the next build: %s has %.2f GB of such, at most %.2f", b.Store.Dir(), float64(all)/1e9, float64(fetch.MaxDerived)/1e9)
	}
}
