package source

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
)

// Inspect finds out what r does to the SRPM. It reads the payload only up to the
// last file that r touches, and does not read the tarball if r has no tag and
// changes nothing in the tree. If progress is not nil, it is called in the caller's
// goroutine with the number of bytes read so far of the files in the payload, and
// their total.
//
// If the SRPM does not fit the recipe, the error is a *MismatchError.
func Inspect(ctx context.Context, in Files, r recipe.Recipe, progress func(done, total int64)) (Preview, error) {
	return run(ctx, "inspecting", in, r, nil, progress)
}

// Prepare writes the topdir of the build as a tar to w, from the current offset of
// w on, and returns what it has changed. All files in it belong to uid and gid
// 1000. Two runs write the same bytes. After an error the caller discards what was
// written. progress and errors are those of Inspect.
func Prepare(ctx context.Context, in Files, r recipe.Recipe, w io.WriteSeeker, progress func(done, total int64)) (Preview, error) {
	return run(ctx, "preparing", in, r, w, progress)
}

func run(ctx context.Context, what string, in Files, r recipe.Recipe, w io.WriteSeeker, progress func(done, total int64)) (Preview, error) {
	preview, err := pass(ctx, in, r, w, progress)
	var faults *MismatchError
	if err != nil && !errors.As(err, &faults) {
		return Preview{}, fmt.Errorf("%s %s: %w", what, in.Name, err)
	}
	return preview, err
}

// job is one run of Inspect or Prepare.
type job struct {
	*srpm
	ctx     context.Context
	meter   *meter
	recipe  recipe.Recipe
	names   renaming
	text    []byte // the spec of the SRPM
	newText []byte // the spec of the build
	tree    *tree  // nil if the tarball stays as it is
	extras  *extras
	preview Preview
	// specFaults are faults of the edits of the spec. names has those of the tag.
	specFaults []Fault
	// patchFaults are faults of patches that cannot be parsed. If there are any, the
	// tree is not checked.
	patchFaults []Fault
}

func pass(ctx context.Context, in Files, r recipe.Recipe, w io.WriteSeeker, progress func(done, total int64)) (Preview, error) {
	s, err := openSRPM(in, r.Source.Tarball)
	if err != nil {
		return Preview{}, err
	}
	j := &job{srpm: s, ctx: ctx, recipe: r, meter: &meter{total: s.total, report: progress}}
	if j.text, err = s.readSpec(ctx); err != nil {
		return Preview{}, err
	}
	j.plan()
	if w == nil || len(j.names.faults)+len(j.patchFaults) > 0 {
		err = j.inspect()
	} else {
		err = j.write(w)
	}
	if err != nil {
		return Preview{}, err
	}
	j.finish()
	return j.preview, nil
}

// plan finds out from the spec which names change, and which files to change.
func (j *job) plan() {
	nevra := j.pkg.NEVRA()
	j.preview = Preview{Package: nevra, Spec: j.spec, Epoch: j.pkg.BuildTime(), BuildRequires: buildRequires(j.pkg.Header)}
	j.planTree(nevra)
	j.editSpec()
	taken := map[string]string{j.spec: "the spec, which is edited with in: spec"}
	if j.names.tarball != "" {
		taken[j.names.tarball] = "the kernel's tarball, whose files are edited with in: tree"
	}
	if j.names.newTarball != "" {
		taken[j.names.newTarball] = taken[j.names.tarball]
	}
	j.extras = newExtras(j.srpm, j.recipe, taken)
}

// planTree finds out what the tag changes, and which file the tarball is. It does
// nothing if there is neither a tag nor a change in the tree.
func (j *job) planTree(nevra rpm.NEVRA) {
	inTree := func(e recipe.Edit) bool { return e.In == recipe.InTree }
	changed := len(j.recipe.Patches) > 0 || slices.ContainsFunc(j.recipe.Edits, inTree)
	if j.recipe.Tag == "" && !changed {
		return
	}
	text := parseSpec(j.spec, j.text, map[string]string{"name": nevra.Name, "version": nevra.Version, "release": nevra.Release})
	text.left = j.srpm.left
	extraversion := ""
	if j.recipe.Tag == "" {
		j.names = noTag(text, j.srpm.available())
	} else {
		j.names = retag(text, j.recipe.Tag, j.srpm.available(), nevra.Release)
		extraversion = j.names.extraversion
	}
	j.preview.Tarball = j.names.tarball
	if !changed && extraversion == "" && j.names.newDir == "" {
		return // the tag changes only the spec
	}
	patches, faults := parsePatches(j.recipe.Patches)
	if j.patchFaults = faults; len(faults) == 0 {
		over := newOverlay(patches, time.Unix(j.preview.Epoch, 0))
		j.tree = newTree(j.names.tarball, j.names.dir, j.names.newDir, targets(j.recipe, extraversion), over)
	}
}

// parsePatches returns what all patches do, in order, and the first fault of each.
func parsePatches(all []recipe.Patch) (list []filePatch, faults []Fault) {
	for _, p := range all {
		part, fault := parsePatch(p)
		if fault != nil {
			faults = append(faults, *fault)
		}
		list = append(list, part...)
	}
	return list, faults
}

// finish fills in the preview after everything has fitted.
func (j *job) finish() {
	j.preview.Renames, j.preview.Warnings = j.names.renames, j.names.warnings
	j.preview.Notes = j.extras.notes(j.newText)
	changes := []Change{{Path: j.spec, Before: j.text, After: j.newText}}
	for _, t := range j.extras.list {
		changes = append(changes, t.change)
	}
	if j.tree != nil {
		changes = append(changes, j.tree.changes()...)
		j.preview.Notes = append(j.preview.Notes, j.tree.over.notes...)
	}
	for _, c := range changes {
		if !c.same() {
			j.preview.Changes = append(j.preview.Changes, c)
		}
	}
}

// faults returns those of the spec, of SOURCES and of the tree as one error.
func (j *job) faults() error {
	all := slices.Concat(j.names.faults, j.specFaults, j.extras.faults(), j.patchFaults)
	if j.tree != nil {
		all = append(all, j.tree.faults...)
	}
	return mismatch(all)
}

// inspect reads the SRPM up to the last file that the recipe touches.
func (j *job) inspect() error {
	tarball := j.names.tarball // empty when it need not be read, or was read
	if j.tree == nil {
		tarball = ""
	}
	err := j.each(j.ctx, j.meter, func(f rpm.File, r io.Reader) error {
		var err error
		switch {
		case tarball == "" && j.extras.done():
			return errStop
		case f.Path == tarball:
			tarball, err = "", j.unpack(r, nil)
			if err == nil && j.extras.done() {
				err = errStop // without the rest of the tarball
			}
		case j.extras.byName[f.Path] != nil:
			_, err = j.extras.edit(f, j.meter.watch(j.ctx, r))
		default:
			_, err = io.Copy(io.Discard, j.meter.watch(j.ctx, r))
		}
		return err
	})
	return cmp.Or(err, j.faults())
}

// unpack reads the tarball, and writes the changed one to w unless w is nil.
func (j *job) unpack(r io.Reader, w *tar.Writer) error {
	plain, err := decompress(j.ctx, r, j.files[j.names.tarball].Size)
	if err == nil {
		err = j.tree.rewrite(j.meter.watch(j.ctx, plain), w)
		err = cmp.Or(err, plain.Close())
	}
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", j.names.tarball, err)
	}
	return nil
}

// write writes the topdir.
func (j *job) write(w io.WriteSeeker) error {
	out, err := newTopdir(w, j.preview.Epoch)
	if err != nil {
		return err
	}
	err = j.each(j.ctx, j.meter, func(f rpm.File, r io.Reader) error {
		return j.add(out, f, j.meter.watch(j.ctx, r), r)
	})
	if err = cmp.Or(err, j.faults()); err != nil {
		return err
	}
	for _, t := range j.extras.made() {
		if err := out.file("SOURCES/"+t.path, t.change.Mode, out.epoch, contentOf(t.change.After)); err != nil {
			return err
		}
	}
	return out.close()
}

// add puts one file of the SRPM into the topdir. Files that the recipe changes get
// the build time of the SRPM; the others keep their times.
func (j *job) add(out *topdir, f rpm.File, watched, raw io.Reader) error {
	mtime := time.Unix(f.Mtime, 0)
	name, fill := "SOURCES/"+f.Path, func(w io.Writer) error {
		_, err := io.Copy(w, watched)
		return err
	}
	switch {
	case f.Path == j.spec:
		name = "SPECS/" + f.Path
		if !bytes.Equal(j.text, j.newText) {
			mtime, fill = out.epoch, contentOf(j.newText)
		}
	case j.tree != nil && f.Path == j.names.tarball:
		name, mtime = "SOURCES/"+j.names.newTarball, out.epoch
		fill = func(w io.Writer) error { return j.unpack(raw, tar.NewWriter(w)) }
	case j.extras.byName[f.Path] != nil:
		t, err := j.extras.edit(f, watched)
		if err != nil {
			return err
		}
		mtime, fill = out.epoch, contentOf(t.change.After)
	}
	return out.file(name, f.Mode, mtime, fill)
}

// contentOf returns a function that writes text.
func contentOf(text []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}
}
