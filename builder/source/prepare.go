package source

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
)

// Inspect works out what r does to the SRPM. It reads the tarball only up to
// the last file that r touches, and not at all where r has no tag and no
// edits. progress, if not nil, hears from the caller's goroutine how many
// bytes of the files in the payload were read, of all.
//
// What does not fit is a *MismatchError, with every fault.
func Inspect(ctx context.Context, srpm string, r recipe.Recipe, progress func(done, total int64)) (Preview, error) {
	return run(ctx, "inspecting", srpm, r, nil, progress)
}

// Prepare writes the topdir of the build as a tar to w, from where w stands,
// and tells what it changed. All is owned by uid and gid 1000; two runs write
// the same bytes. The caller throws away what was written before an error.
// progress and errors are as with Inspect.
func Prepare(ctx context.Context, srpm string, r recipe.Recipe, w io.WriteSeeker, progress func(done, total int64)) (Preview, error) {
	return run(ctx, "preparing", srpm, r, w, progress)
}

func run(ctx context.Context, what, name string, r recipe.Recipe, w io.WriteSeeker, progress func(done, total int64)) (Preview, error) {
	preview, err := pass(ctx, name, r, w, progress)
	var faults *MismatchError
	if err != nil && !errors.As(err, &faults) {
		return Preview{}, fmt.Errorf("%s %s: %w", what, filepath.Base(name), err)
	}
	return preview, err
}

// job is one SRPM on its way through one recipe.
type job struct {
	*srpm
	ctx     context.Context
	meter   *meter
	recipe  recipe.Recipe
	names   renaming
	text    []byte // of the spec, as it was
	tree    *tree  // nil: the tarball stays as it is
	preview Preview
}

func pass(ctx context.Context, name string, r recipe.Recipe, w io.WriteSeeker, progress func(done, total int64)) (Preview, error) {
	s, err := openSRPM(name)
	if err != nil {
		return Preview{}, err
	}
	defer s.file.Close()
	j := &job{srpm: s, ctx: ctx, recipe: r, meter: &meter{total: s.total, report: progress}}
	if j.text, err = s.readSpec(ctx); err != nil {
		return Preview{}, err
	}
	j.plan()
	if w == nil || len(j.names.faults) > 0 {
		err = j.look()
	} else {
		err = j.write(w)
	}
	if err != nil {
		return Preview{}, err
	}
	j.finish()
	return j.preview, nil
}

// plan works the names out from the spec.
func (j *job) plan() {
	nevra := j.pkg.NEVRA()
	j.preview = Preview{Package: nevra, Spec: j.spec, Epoch: j.pkg.BuildTime(), BuildRequires: buildRequires(j.pkg.Header)}
	if j.recipe.Tag == "" && len(j.recipe.Edits) == 0 {
		return
	}
	text := parseSpec(j.spec, j.text, map[string]string{"name": nevra.Name, "version": nevra.Version, "release": nevra.Release})
	extraversion := ""
	if j.recipe.Tag == "" {
		j.names = noTag(text, j.srpm.names)
	} else {
		j.names = retag(text, j.recipe.Tag, j.srpm.names, nevra.Release)
		// Of a spec with faults the Makefile is judged as well.
		extraversion = cmp.Or(j.names.extraversion, "-"+j.recipe.Tag)
	}
	j.preview.Tarball = j.names.tarball
	j.tree = newTree(j.names.tarball, j.names.dir, j.names.newDir, targets(j.recipe, extraversion))
}

// finish fills in what was done. All fitted.
func (j *job) finish() {
	j.preview.Renames, j.preview.Warnings = j.names.renames, j.names.warnings
	if j.recipe.Tag != "" {
		j.preview.Changes = append(j.preview.Changes, Change{Path: j.spec, Before: j.text, After: j.names.spec.bytes()})
	}
	if j.tree != nil {
		j.preview.Changes = append(j.preview.Changes, j.tree.changes()...)
	}
}

// faults are those of the spec and the tree, as one error.
func (j *job) faults() error {
	if j.tree == nil {
		return mismatch(j.names.faults)
	}
	return mismatch(append(j.names.faults, j.tree.faults...))
}

// look reads the tarball without writing.
func (j *job) look() error {
	if j.tree == nil || j.names.tarball == "" {
		return j.faults()
	}
	err := j.each(j.ctx, j.meter, func(f rpm.File, r io.Reader) error {
		if f.Path != j.names.tarball {
			_, err := io.Copy(io.Discard, j.meter.watch(j.ctx, r))
			return err
		}
		if err := j.unpack(r, nil); err != nil {
			return err
		}
		return errStop
	})
	return cmp.Or(err, j.faults())
}

// unpack runs the tarball through the tree; w nil only looks.
func (j *job) unpack(r io.Reader, w *tar.Writer) error {
	plain, err := decompress(j.ctx, r)
	if err == nil {
		err = j.tree.rewrite(j.meter.watch(j.ctx, plain), w)
		err = cmp.Or(err, plain.Close())
	}
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", j.names.tarball, err)
	}
	return nil
}

// write makes the topdir.
func (j *job) write(w io.WriteSeeker) error {
	out, err := newTopdir(w, j.preview.Epoch)
	if err != nil {
		return err
	}
	err = j.each(j.ctx, j.meter, func(f rpm.File, r io.Reader) error {
		return j.add(out, f, j.meter.watch(j.ctx, r), r)
	})
	if err != nil {
		return err
	}
	return out.close()
}

// add puts one file of the SRPM into the topdir. What the recipe changes gets
// the SRPM's build time, everything else keeps its own.
func (j *job) add(out *topdir, f rpm.File, watched, raw io.Reader) error {
	mtime := time.Unix(f.Mtime, 0)
	name, fill := "SOURCES/"+f.Path, func(w io.Writer) error {
		_, err := io.Copy(w, watched)
		return err
	}
	switch {
	case f.Path == j.spec:
		name = "SPECS/" + f.Path
		if j.recipe.Tag != "" {
			mtime, fill = out.epoch, func(w io.Writer) error {
				_, err := io.Copy(w, bytes.NewReader(j.names.spec.bytes()))
				return err
			}
		}
	case j.tree != nil && f.Path == j.names.tarball:
		name, mtime = "SOURCES/"+j.names.newTarball, out.epoch
		fill = func(w io.Writer) error { return j.edited(raw, w) }
	}
	return out.file(name, f.Mode, mtime, fill)
}

// edited writes the tarball as the recipe wants it, or its faults.
func (j *job) edited(r io.Reader, w io.Writer) error {
	if err := j.unpack(r, tar.NewWriter(w)); err != nil {
		return err
	}
	return j.faults()
}
