package oci

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"

	"namibuild/builder/durable"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"
)

// Pulled is a release that was pulled.
type Pulled struct {
	// Reference names it by its digest: HOST/REPOSITORY@DIGEST.
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`
	// Tag is the tag of the reference, or empty if the reference had the digest.
	Tag   string `json:"tag,omitempty"`
	Dir   string `json:"dir"`
	Files []File `json:"files"`
	Size  int64  `json:"size"` // bytes of all files
}

// maxManifest is the largest size of a manifest, in bytes. Registries accept 4 MiB.
const maxManifest = 4 << 20

// Pull gets the release that reference names, by digest or tag, and writes it to the
// folder dir, which must not exist or must be empty. It checks every file by the digest
// in the manifest, and the manifest by its digest. If the reference has a tag, the
// registry decides which digest that is. dir appears when it is complete and
// Options.Check returned nil.
//
// The error is a *ReferenceError, a *RegistryError, a *durable.Error or another one of
// writing dir, or that of Check.
func Pull(ctx context.Context, reference, dir string, o Options) (Pulled, error) {
	ref, err := parseReference(reference)
	if err == nil && ref.Reference == "" {
		err = &ReferenceError{reference, "it must have a tag or a digest"}
	}
	if err != nil {
		return Pulled{}, err
	}
	p := pull{Options: o, repo: o.repository(ref)}
	if err := p.find(ctx); err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", reference, err)
	}
	out, err := durable.Create(dir, nil)
	if err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", reference, err)
	}
	defer out.Close()
	if err := p.files(ctx, out.Path()); err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", reference, err)
	}
	if o.Check != nil {
		if err := o.Check(out.Path()); err != nil {
			return Pulled{}, err
		}
	}
	if err := out.Publish(); err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", reference, err)
	}
	p.out.Dir = dir
	return p.out, nil
}

// pull is the state of one pull.
type pull struct {
	Options
	repo *remote.Repository
	out  Pulled
	done int64
}

// find gets the manifest.
func (p *pull) find(ctx context.Context) error {
	ref := p.repo.Reference
	if ref.ValidateReferenceAsDigest() != nil {
		p.out.Tag = ref.Reference
	}
	d, body, err := p.repo.FetchReference(ctx, ref.Reference)
	if err != nil {
		return registryError(ref, err)
	}
	defer body.Close()
	if d.Size > maxManifest || d.MediaType != ocispec.MediaTypeImageManifest {
		return fmt.Errorf("%s of %d bytes is not the manifest of a release", d.MediaType, d.Size)
	}
	data, err := content.ReadAll(body, d)
	if err != nil {
		return registryError(ref, err)
	}
	if p.out.Files, err = parseRelease(data); err != nil {
		return err
	}
	for _, f := range p.out.Files {
		p.out.Size += f.Size
	}
	ref.Reference = d.Digest.String()
	p.out.Digest, p.out.Reference = d.Digest, ref.String()
	return nil
}

// files writes all files of the release below the folder part. It never writes outside of
// that folder.
func (p *pull) files(ctx context.Context, part string) error {
	root, err := os.OpenRoot(part)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range p.out.Files {
		p.tell(Progress{f.Path, p.done, p.out.Size})
		if err := root.MkdirAll(path.Dir(f.Path), 0o777); err != nil {
			return err
		}
		if err := p.file(ctx, f, root); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		p.done += f.Size
	}
	p.tell(Progress{"", p.done, p.out.Size})
	return nil
}

// file writes one file below a folder.
func (p *pull) file(ctx context.Context, f File, root *os.Root) error {
	file, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := p.fill(ctx, f, file); err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// fill writes the content of f to file. If the registry breaks off the connection, fill
// continues from there.
func (p *pull) fill(ctx context.Context, f File, file *os.File) error {
	w := &sink{file: file, sum: f.Digest.Algorithm().Hash()}
	err := again(ctx, func() (bool, error) {
		watch := startWatch(ctx)
		defer watch.stop()
		err := watch.cause(p.copy(watch, f, w))
		return w.err != nil || final(err), err
	})
	switch {
	case w.err != nil:
		return w.err
	case err != nil:
		return registryError(p.repo.Reference, err)
	}
	if got := digest.NewDigest(f.Digest.Algorithm(), w.sum); got != f.Digest {
		return registryError(p.repo.Reference, fmt.Errorf("sent %s, want %s", got, f.Digest))
	}
	return nil
}

// copy writes to w the part of the blob that w does not have yet.
func (p *pull) copy(watch *watch, f File, w *sink) error {
	body, err := p.repo.Blobs().Fetch(watch.ctx, f.descriptor())
	if err != nil {
		return err
	}
	defer body.Close()
	if seeker, ok := body.(io.Seeker); ok && w.n > 0 {
		_, err = seeker.Seek(w.n, io.SeekStart)
	} else if w.n > 0 {
		_, err = io.CopyN(io.Discard, body, w.n)
	}
	if err != nil {
		return err
	}
	left := f.Size - w.n
	before := p.done + w.n
	counted := &progressReader{r: watch.reader(io.LimitReader(body, left)), tell: func(n int64) { p.tell(Progress{f.Path, before + n, p.out.Size}) }}
	n, err := io.Copy(w, counted)
	if err == nil && n < left {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// sink writes and hashes a file. It keeps the error of writing, to tell it from errors of
// reading.
type sink struct {
	file *os.File
	sum  hash.Hash
	n    int64
	err  error
}

func (s *sink) Write(b []byte) (int, error) {
	n, err := s.file.Write(b)
	s.n += int64(n)
	s.sum.Write(b[:n])
	if err != nil {
		s.err = err
	}
	return n, err
}
