package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"namibuild/builder/engine"
	"namibuild/builder/fetch"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
)

// Input brings the recipe's SRPM in, checked: from where it lies, from the
// network, or packed in a container. It is the first step of Build.
func Input(ctx context.Context, o Options) (fetch.File, error) {
	return (&build{Options: o}).input(ctx)
}

// NotPackedError says that a packed source is wanted and must not be packed now.
type NotPackedError struct{ Recipe string }

func (e *NotPackedError) Error() string {
	return "the source of " + e.Recipe + " is packed in a container and was not packed yet"
}

func (b *build) input(ctx context.Context) (fetch.File, error) {
	src := b.Recipe.Source
	b.tell(Begin, StepSource, "%s", sourceName(src))
	judge, err := b.judge(src)
	if err != nil {
		return fetch.File{}, &StepError{StepSource, err}
	}
	var f fetch.File
	if src.Pack != "" {
		f, err = b.packed(ctx, judge)
	} else {
		f, err = b.Store.Fetch(ctx, fetch.Input{URL: src.URL, File: src.File, SHA256: src.SHA256, Judge: judge}, b.bytes(StepSource))
	}
	if err != nil {
		return fetch.File{}, &StepError{StepSource, err}
	}
	from := ""
	if f.Cached {
		from = ", from the store"
	}
	b.tell(End, StepSource, "%s, sha256 %.12s…%s", sourceName(src), f.SHA256, from)
	return f, nil
}

func sourceName(s recipe.Source) string {
	if s.Pack != "" {
		return s.Pack + ".src.rpm (packed here)"
	}
	return path.Base(s.URL + filepath.ToSlash(s.File))
}

// judge checks that a file is a whole SRPM, every digest in it right, and
// signed by the key that the recipe names, if it names one.
func (b *build) judge(src recipe.Source) (fetch.Judge, error) {
	verify := rpm.Verify
	if src.SignedBy != "" {
		keys, err := shippedKey(b.Images, src.SignedBy)
		if err != nil {
			return nil, err
		}
		verify = func(r io.Reader) (*rpm.Package, error) {
			p, _, err := rpm.VerifySigned(r, keys)
			return p, err
		}
	}
	return func(r io.Reader) error {
		p, err := verify(r)
		if err == nil && !p.IsSource() {
			err = fmt.Errorf("%s is a binary package; a source RPM was expected", p.NEVRA())
		}
		return err
	}, nil
}

// shippedKey finds the OpenPGP key of a fingerprint among the image files.
func shippedKey(images fs.FS, fingerprint string) ([]rpm.Key, error) {
	names, err := fs.Glob(images, "images/*/RPM-GPG-KEY-*")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		keys, err := readKeys(images, name)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if k.Fingerprint() == fingerprint {
				return []rpm.Key{k}, nil
			}
		}
	}
	return nil, fmt.Errorf("no key with the fingerprint %s comes with namibuild (looked at %s)", fingerprint, strings.Join(names, ", "))
}

func readKeys(images fs.FS, name string) ([]rpm.Key, error) {
	f, err := images.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	keys, err := rpm.ParseKeys(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return keys, nil
}

// packed gives the SRPM that the recipe's pack folder makes: the one packed
// before from the same folder and image definition, or a new one.
func (b *build) packed(ctx context.Context, judge fetch.Judge) (fetch.File, error) {
	image, err := plan.DefineImage(b.Images, b.Recipe.Image)
	if err != nil {
		return fetch.File{}, err
	}
	folder, err := fs.Sub(b.Recipe.Files(), b.Recipe.Source.Pack)
	if err != nil {
		return fetch.File{}, err
	}
	digest, err := plan.TreeDigest(folder)
	if err != nil {
		return fetch.File{}, fmt.Errorf("reading the pack folder %s: %w", b.Recipe.Source.Pack, err)
	}
	key := image.Digest + digest
	if f, ok := b.Store.Held(b.Store.Recall("pack", key)); ok {
		return f, nil
	}
	if b.Engine == nil {
		return fetch.File{}, &NotPackedError{b.Recipe.Name}
	}
	f, err := b.pack(ctx, folder, judge)
	if err != nil {
		return fetch.File{}, err
	}
	return f, b.Store.Remember("pack", key, f.SHA256)
}

// pack runs the folder's Dockerfile on top of the builder image and takes the
// one SRPM out of it.
func (b *build) pack(ctx context.Context, folder fs.FS, judge fetch.Judge) (fetch.File, error) {
	image, err := b.ensureImage(ctx, StepSource)
	if err != nil {
		return fetch.File{}, err
	}
	dir, err := b.Store.ScratchDir()
	if err != nil {
		return fetch.File{}, err
	}
	defer dir.Remove()
	spec := engine.ImageSpec{Name: "pack-" + b.Recipe.Name, Files: folder, Dockerfile: "Dockerfile", Args: map[string]string{"BUILDER": image.Ref}, NoCache: b.NoCache}
	if err := b.Engine.Export(ctx, spec, dir.Path, b.building(StepSource)); err != nil {
		return fetch.File{}, err
	}
	found, err := filepath.Glob(filepath.Join(dir.Path, "*.src.rpm"))
	if err != nil || len(found) != 1 {
		return fetch.File{}, errors.Join(err, fmt.Errorf("packing %s: its Dockerfile left %d .src.rpm files; one was expected", b.Recipe.Source.Pack, len(found)))
	}
	if _, err := fetch.Check(found[0], "", judge); err != nil {
		return fetch.File{}, fmt.Errorf("checking %s: %w", filepath.Base(found[0]), err)
	}
	return b.Store.Take(found[0])
}
