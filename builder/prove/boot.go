// Package prove shows what a built kernel does.
//
// [Boot] boots the kernel of a set in QEMU, checks what the recipe expects of it, and
// puts the proof into the set. [Bench] runs the same traffic on the kernel and on the one
// without the changes, and puts a report with a chart into the set. For a release both
// write to a folder beside it ([RecordsDir]). The programs that run in the guest are compiled once, in a container of the image that built the kernel. QEMU
// runs on the host or in a container.
package prove

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"

	"namibuild/builder/boot"
	"namibuild/builder/durable"
	"namibuild/builder/event"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

// BootOptions say what is booted, and how.
type BootOptions struct {
	MachineOptions
	// Set is the output directory of a build, its RPMS folder, or a package file.
	Set string
	// Append are words that are added to the kernel's command line.
	Append []string
	// Keep, if not empty, is a folder that gets vmlinuz and initramfs.
	Keep string
}

// Boot boots the kernel of a set and checks what it shows. It puts the proof and the log
// of the console into RecordsDir, whether the kernel passed or not. For a package file it
// writes nothing. A kernel that fails is not an error. If the limit ends
// the boot before there is a result, the error is a *boot.LimitError and an earlier proof
// stays as it is.
func Boot(ctx context.Context, o BootOptions) (boot.Proof, error) {
	b := &run{MachineOptions: o.MachineOptions}
	b.Tell.Say(event.Begin, event.Kernel, "%s", filepath.Base(o.Set))
	s, err := set.Open(o.Set)
	if err != nil {
		return boot.Proof{}, &event.StepError{Step: event.Kernel, Err: err}
	}
	record := b.record(s)
	order := boot.Order{Want: b.want(record), Args: o.Append, Memory: o.Memory, Limit: o.Limit}
	if order.Kernel, err = boot.ReadKernel(paths(s), order.Want.Modules); err != nil {
		return boot.Proof{}, &event.StepError{Step: event.Kernel, Err: err}
	}
	b.Tell.Say(event.End, event.Kernel, "%s, of %s", order.Kernel.Release, order.Kernel.Package)
	if order.Witness, err = b.program(ctx, record, "witness"); err != nil {
		return boot.Proof{}, &event.StepError{Step: event.Witness, Err: err}
	}
	m, done, err := b.machine(ctx, order.Want)
	if err != nil {
		return boot.Proof{}, &event.StepError{Step: event.Machine, Err: err}
	}
	defer done()
	order.Machine = m
	p, log, err := b.prove(ctx, order, o.Keep)
	if err != nil {
		return boot.Proof{}, &event.StepError{Step: event.Boot, Err: err}
	}
	p.Packages = boot.PackagesOf(s.RPMs)
	if record != nil {
		p.PlanID = record.PlanID
	}
	if s.Kind == set.Single {
		return p, nil
	}
	dir, err := makeRecordsDir(s.Place)
	if err != nil {
		return p, err
	}
	return p, boot.Write(dir, p, log)
}

// RecordsDir returns the folder that gets what Boot and Bench write about a set: that of
// the set, but for a release the folder beside it whose name ends with -proof. Nothing is
// added to a release, because it is signed.
func RecordsDir(p set.Place) string {
	if p.Kind != set.Release {
		return p.Dir
	}
	dir := p.Dir
	if base := filepath.Base(dir); base == "." || base == ".." {
		if abs, err := filepath.Abs(dir); err == nil {
			dir = abs // which ends with the folder's name
		}
	}
	return dir + "-proof"
}

// makeRecordsDir returns RecordsDir, and makes that folder for a release.
func makeRecordsDir(p set.Place) (string, error) {
	dir := RecordsDir(p)
	if p.Kind != set.Release {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", &durable.Error{Path: dir, Err: err}
	}
	return dir, nil
}

// run is one run of Boot or Bench.
type run struct {
	MachineOptions
	engine Engine
}

// record returns the record of a set. If the record is about other packages, record warns
// and returns nil.
func (b *run) record(s set.Set) *set.Record {
	if s.Other == "" {
		return s.Record
	}
	b.Tell.Say(event.Warning, event.Kernel, "%s is about other packages: what it expects of the kernel is ignored; --recipe says what to expect", s.Join(set.RecordFile))
	return nil
}

// paths returns the paths of the packages of a set.
func paths(s set.Set) []string {
	var all []string
	for _, r := range s.RPMs {
		all = append(all, filepath.Join(s.Packages, r.File))
	}
	return all
}

// want returns what the kernel must show: what the recipe says or, without a recipe, what
// the record says.
func (b *run) want(record *set.Record) recipe.Proof {
	switch {
	case b.Recipe != nil && record != nil && record.Plan.Stock:
		return b.Recipe.AsStock().Proof
	case b.Recipe != nil:
		return b.Recipe.Proof
	case record != nil:
		return record.Proof
	}
	return recipe.Proof{}
}

// prove boots the kernel and checks it. It writes the guest's files to folder, unless
// that is empty.
func (b *run) prove(ctx context.Context, order boot.Order, folder string) (boot.Proof, []byte, error) {
	limit := cmp.Or(b.Limit, boot.DefaultLimit)
	b.Tell.Say(event.Begin, event.Boot, "within %v", limit)
	if folder != "" {
		if err := keep(folder, order.Guest()); err != nil {
			return boot.Proof{}, nil, &durable.Error{Path: folder, Err: err}
		}
	}
	p, log, err := boot.Prove(ctx, order)
	if err != nil {
		return p, log, err
	}
	passed := 0
	for _, c := range p.Checks {
		if c.Passed {
			passed++
		}
	}
	b.Tell.Say(event.End, event.Boot, "%d of %s passed", passed, event.Count(len(p.Checks), "check"))
	return p, log, nil
}

// keep writes the files that the command line in a proof names.
func keep(dir string, g boot.Guest) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "vmlinuz"), g.Kernel, 0o666),
		os.WriteFile(filepath.Join(dir, "initramfs"), g.Initramfs, 0o666),
	)
}
