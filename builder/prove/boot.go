// Package prove shows what a built kernel does: Boot boots it in QEMU and checks what the recipe
// expects of it, Bench measures it beside the kernel without the changes.
package prove

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"namibuild/builder/boot"
	"namibuild/builder/durable"
	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/image"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

// Where QEMU runs.
const (
	QEMUAuto      = "auto" // the host's, where there is one that runs
	QEMUHost      = "host"
	QEMUContainer = "container"
)

// AccelAuto is KVM where it works and nothing is waited for, TCG elsewhere: TCG
// skips the guest's idle time, under KVM it passes.
const AccelAuto = "auto"

// Engine is what this package needs of a container engine.
type Engine interface {
	// EnsureImage gives the image of a definition, built if the engine does not
	// hold it.
	EnsureImage(context.Context, engine.ImageSpec, func(engine.ImageProgress)) (engine.Image, error)
	// Create makes a container that has not started.
	Create(context.Context, engine.ContainerSpec) (boot.Container, error)
	// Sweep removes what drivers that are no more have left.
	Sweep(context.Context) (int, error)
}

// Over makes an Engine of the real one.
func Over(e *engine.Engine) Engine { return docker{e} }

type docker struct{ *engine.Engine }

func (d docker) Create(ctx context.Context, s engine.ContainerSpec) (boot.Container, error) {
	c, err := d.Engine.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ErrNoEngine says that a container is needed and nothing opens an engine.
var ErrNoEngine = errors.New("no container engine was given")

// MachineOptions say what runs a guest, and with which programs.
type MachineOptions struct {
	// Recipe, if not nil, says what is expected; otherwise the set's record does.
	Recipe *recipe.Recipe
	// Images holds the image definitions and the programs of the guest.
	Images fs.FS
	Store  *fetch.Store
	// Connect opens an engine. It is called when a container is needed: for the
	// first compilation of a program, and where this host has no QEMU. nil refuses both
	// with ErrNoEngine.
	Connect func(context.Context) (Engine, error)
	// QEMU is QEMUAuto, QEMUHost or QEMUContainer; Accel AccelAuto, boot.TCG or
	// boot.KVM.
	QEMU, Accel string
	// Memory (bytes) and Limit are the guest's; 0 is the default.
	Memory int64
	Limit  time.Duration
	// Args are build arguments for the images: mirrors.
	Args map[string]string
	// NoCache runs every step of an image build anew.
	NoCache bool
	// Offline takes the images that the engine holds, and builds none.
	Offline bool
	// Tell takes the events; nil drops them.
	Tell event.Sink
}

// BootOptions say what to boot and how.
type BootOptions struct {
	MachineOptions
	// Set is the output directory of a build, its RPMS folder, or a package file.
	Set string
	// Append are words that come behind the kernel's command line.
	Append []string
	// Keep, if not empty, is a folder that gets vmlinuz and initramfs.
	Keep string
}

// Boot boots the kernel of a set and checks what it shows. The proof and the console's
// log go into the output directory, whatever the verdict; a package file alone
// gets none. A kernel that fails is no error; a run without a verdict is one
// (*boot.LimitError), and leaves an earlier proof as it is.
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
	return p, boot.Write(s.Dir, p, log)
}

// run is one run of Boot or Bench.
type run struct {
	MachineOptions
	engine Engine
}

// record gives the record of a set if it is about the packages of the set, and warns if it is
// about others.
func (b *run) record(s set.Set) *set.Record {
	if s.Other == "" {
		return s.Record
	}
	b.Tell.Say(event.Warning, event.Kernel, "%s is about other packages, so what it expects of the kernel does not count; --recipe says it anew", s.Join(set.RecordFile))
	return nil
}

// paths gives the paths of the packages of a set.
func paths(s set.Set) []string {
	var all []string
	for _, r := range s.RPMs {
		all = append(all, filepath.Join(s.Packages, r.File))
	}
	return all
}

// want is what the kernel must show: what the recipe says, or what it said when
// the set was built.
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

// connect opens the engine once, and clears away what a killed run left there.
func (b *run) connect(ctx context.Context) (Engine, error) {
	if b.engine != nil {
		return b.engine, nil
	}
	if b.Connect == nil {
		return nil, ErrNoEngine
	}
	e, err := b.Connect(ctx)
	if err != nil {
		return nil, err
	}
	b.engine = e
	b.Tell.Swept(e.Sweep(ctx))
	return e, nil
}

// program gives a compiled program: the one compiled before from the same source
// by the same image, or a new one.
func (b *run) program(ctx context.Context, record *set.Record, name string) ([]byte, error) {
	builder := b.compilerImage(record)
	b.Tell.Say(event.Begin, event.Witness, "%s, by the compiler of %s", name, builder)
	program, err := boot.ReadProgram(b.Images, name)
	if err != nil {
		return nil, err
	}
	data, cached, err := b.compiled(ctx, builder, program)
	if err != nil {
		return nil, err
	}
	how := "compiled"
	if cached {
		how = "from the store, compiled"
	}
	b.Tell.Say(event.End, event.Witness, "%s, %s by the compiler of %s, %d bytes", name, how, builder, len(data))
	return data, nil
}

// compilerImage is the image whose compiler made the kernel.
func (b *run) compilerImage(record *set.Record) string {
	switch {
	case record != nil:
		return record.Plan.Image
	case b.Recipe != nil:
		return b.Recipe.Image
	}
	return "debian12"
}

// compiled gives a program of the store, or compiles it and keeps it there.
func (b *run) compiled(ctx context.Context, builder string, p boot.Program) (_ []byte, cached bool, err error) {
	def, err := plan.DefineImage(b.Images, builder)
	if err != nil {
		return nil, false, err
	}
	key := fmt.Sprintf("%s%x", def.Digest, sha256.Sum256([]byte(p.Compiling())))
	if f, ok := b.Store.Lookup(b.Store.Recall(p.Name, key)); ok {
		defer f.Close()
		data, err := io.ReadAll(f.Content())
		return data, true, err
	}
	e, err := b.connect(ctx)
	if err != nil {
		return nil, false, err
	}
	held, err := image.Ensure(ctx, e, image.Request{Name: builder, Definitions: b.Images, Args: b.Args, NoCache: b.NoCache, ExistingOnly: b.Offline}, event.Witness, b.Tell)
	if err != nil {
		return nil, false, err
	}
	data, err := boot.Compile(ctx, e.Create, held, plan.Topdir, p)
	if err != nil {
		return nil, false, err
	}
	return data, false, b.remember(p.Name, key, data)
}

// remember keeps a compiled program in the store.
func (b *run) remember(kind, key string, data []byte) error {
	dir, err := b.Store.ScratchDir()
	if err != nil {
		return err
	}
	defer dir.Remove()
	path := filepath.Join(dir.Path, kind)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		return err
	}
	f, err := b.Store.Add(path, nil)
	if err != nil {
		return err
	}
	defer f.Close()
	return b.Store.Remember(kind, key, f.SHA256)
}

// machine chooses what runs the guest; the caller calls the function afterwards.
func (b *run) machine(ctx context.Context, want recipe.Proof) (boot.Machine, func(), error) {
	b.Tell.Say(event.Begin, event.Machine, "QEMU: %s", b.QEMU)
	host, err := boot.FindHost(ctx)
	switch {
	case err == nil && b.QEMU != QEMUContainer:
		return b.host(ctx, host, want)
	case b.QEMU == QEMUHost:
		return nil, nil, err
	case b.Accel == string(boot.KVM):
		return nil, nil, errors.New("running under KVM: a container gets no device; it takes a QEMU of the host")
	}
	e, err := b.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	spec := boot.QEMUImage(b.Images, b.Args)
	spec.NoCache, spec.ExistingOnly = b.NoCache, b.Offline
	held, err := e.EnsureImage(ctx, spec, image.Progress(event.Machine, b.Tell))
	if err != nil {
		return nil, nil, err
	}
	m := boot.Box{Create: e.Create, Image: held}
	b.Tell.Say(event.End, event.Machine, "%s", m)
	return m, func() {}, nil
}

// host readies the host's QEMU, with a folder of its own.
func (b *run) host(ctx context.Context, h boot.Host, want recipe.Proof) (boot.Machine, func(), error) {
	dir, err := b.Store.ScratchDir()
	if err != nil {
		return nil, nil, err
	}
	h.Dir = dir.Path
	done := func() { dir.Remove() }
	if b.Accel == string(boot.KVM) || b.Accel == AccelAuto && want.TimeWait == 0 {
		if h.HasKVM(ctx) {
			h.By = boot.KVM
		} else if b.Accel == string(boot.KVM) {
			done()
			return nil, nil, errors.New("running under KVM: it does not work on this host")
		}
	}
	b.Tell.Say(event.End, event.Machine, "%s", h)
	return h, done, nil
}

// prove boots and judges, and keeps the guest's files where that is wanted.
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

// keep writes the files that the command of a proof names.
func keep(dir string, g boot.Guest) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "vmlinuz"), g.Kernel, 0o666),
		os.WriteFile(filepath.Join(dir, "initramfs"), g.Initramfs, 0o666),
	)
}
