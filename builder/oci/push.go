package oci

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"

	"namibuild/builder/set"
)

// Pushed is a release that was pushed.
type Pushed struct {
	// Reference names it by its digest: HOST/REPOSITORY@DIGEST.
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`
	// Tag is the tag that was set, or empty. Replaced is the digest that the tag had
	// before. It is empty if the tag is new or had the same digest.
	Tag      string        `json:"tag,omitempty"`
	Replaced digest.Digest `json:"replaced,omitempty"`
	Files    []File        `json:"files"`
	// Referrers are the digests of the manifests that are attached to it.
	Referrers []digest.Digest `json:"referrers"`
	// Sent is the size in bytes of the files that the registry did not have.
	Sent int64 `json:"sent"`
}

// Push puts the files below dir into the registry that reference names. Without a tag in
// the reference, the release can be pulled only by its digest. The tag is set when
// everything else is done. After an error it names what it named before.
//
// The error is a *ReferenceError, a *RegistryError, or one of reading the folder.
func Push(ctx context.Context, dir, reference string, o Options) (Pushed, error) {
	ref, err := parseReference(reference)
	if err != nil {
		return Pushed{}, err
	}
	if ref.ValidateReferenceAsDigest() == nil {
		return Pushed{}, &ReferenceError{reference, "the digest results from the push; give a tag, or none"}
	}
	files, err := readFolder(dir)
	if err != nil {
		return Pushed{}, err
	}
	main, err := release(files, o.Created, o.Annotations)
	if err != nil {
		return Pushed{}, err
	}
	attached, err := referrers(main, files, o.Created)
	if err != nil {
		return Pushed{}, err
	}
	p := push{Options: o, dir: dir, repo: o.repository(ref)}
	p.out = Pushed{Digest: main.Digest, Tag: ref.Reference, Files: files}
	if err := p.all(ctx, main, attached); err != nil {
		return Pushed{}, fmt.Errorf("pushing %s: %w", reference, err)
	}
	ref.Reference = main.Digest.String()
	p.out.Reference = ref.String()
	return p.out, nil
}

// push is the state of one push.
type push struct {
	Options
	dir         string
	repo        *remote.Repository
	out         Pushed
	done, total int64
}

// all sends the files, then the manifests, and sets the tag last.
func (p *push) all(ctx context.Context, main manifest, attached []manifest) error {
	if err := p.files(ctx); err != nil {
		return err
	}
	for _, m := range append([]manifest{main}, attached...) {
		if err := p.repo.Push(ctx, m.Descriptor, m.reader()); err != nil {
			return registryError(p.repo.Reference, err)
		}
		if m.Digest != main.Digest {
			p.out.Referrers = append(p.out.Referrers, m.Digest)
		}
	}
	if p.out.Tag == "" {
		return nil
	}
	before, err := p.repo.Resolve(ctx, p.out.Tag)
	switch {
	case err == nil && before.Digest != main.Digest:
		p.out.Replaced = before.Digest
	case err != nil && !errors.Is(err, errdef.ErrNotFound):
		return registryError(p.repo.Reference, err)
	}
	return registryError(p.repo.Reference, p.repo.PushReference(ctx, main.Descriptor, main.reader(), p.out.Tag))
}

// files sends the blobs that the registry does not have. It sends equal files once.
func (p *push) files(ctx context.Context) error {
	config := emptyConfig()
	open := func() (io.ReadCloser, error) {
		return io.NopCloser(manifest{data: ocispec.DescriptorEmptyJSON.Data}.reader()), nil
	}
	if err := p.blob(ctx, config, open); err != nil {
		return err
	}
	for _, f := range p.out.Files {
		p.total += f.Size
	}
	seen := map[digest.Digest]bool{}
	for _, f := range p.out.Files {
		p.tell(Progress{f.Path, p.done, p.total})
		if !seen[f.Digest] {
			err := p.blob(ctx, f.descriptor(), func() (io.ReadCloser, error) { return p.open(f, p.done) })
			if err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
		}
		seen[f.Digest] = true
		p.done += f.Size
	}
	p.tell(Progress{"", p.done, p.total})
	return nil
}

// blob sends one blob, unless the registry has it.
func (p *push) blob(ctx context.Context, d ocispec.Descriptor, open func() (io.ReadCloser, error)) error {
	var local error // an error of this host
	err := again(ctx, func() (bool, error) {
		exists, err := p.repo.Blobs().Exists(ctx, d)
		if err != nil || exists {
			return final(err), err
		}
		content, err := open()
		if err != nil {
			local = err
			return true, err
		}
		defer content.Close()
		w := startWatch(ctx)
		defer w.stop()
		if err := w.cause(p.repo.Blobs().Push(w.ctx, d, w.reader(content))); err != nil {
			return final(err), err
		}
		p.out.Sent += d.Size
		return true, nil
	})
	if local != nil {
		return local
	}
	return registryError(p.repo.Reference, err)
}

// open opens a file. Reading it reports the progress, to which before is added.
func (p *push) open(f File, before int64) (io.ReadCloser, error) {
	file, err := set.OpenIn(p.dir, f.Path)
	if err != nil {
		return nil, err
	}
	counted := &progressReader{r: file, tell: func(n int64) { p.tell(Progress{f.Path, before + n, p.total}) }}
	return struct {
		io.Reader
		io.Closer
	}{counted, file}, nil
}

// progressReader is a reader that reports how many bytes were read, every reportEvery
// bytes.
type progressReader struct {
	r           io.Reader
	n, reported int64
	tell        func(n int64)
}

// reportEvery is the number of bytes between two reports.
const reportEvery = 1 << 20

func (t *progressReader) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	t.n += int64(n)
	if t.n-t.reported >= reportEvery {
		t.reported = t.n
		t.tell(t.n)
	}
	return n, err
}
