package builder

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"namibuild/builder/boot"
	"namibuild/builder/engine"
	"namibuild/builder/fetch"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
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

// BootOptions say what to boot and how.
type BootOptions struct {
	// Set is an output directory of Build, its RPMS folder, or a package file.
	Set string
	// Recipe, if not nil, says what is expected; otherwise the set's record does.
	Recipe *recipe.Recipe
	// Images holds the image definitions and the witness.
	Images fs.FS
	Store  *fetch.Store
	// Connect opens an engine. It is called when a container is needed: for the
	// first compilation of the witness, and where this host has no QEMU.
	Connect func(context.Context) (Engine, error)
	// QEMU is QEMUAuto, QEMUHost or QEMUContainer; Accel AccelAuto, boot.TCG or
	// boot.KVM.
	QEMU, Accel string
	// Append are words that come behind the kernel's command line.
	Append []string
	// Memory (bytes) and Limit are the guest's; 0 is the default.
	Memory int64
	Limit  time.Duration
	// Keep, if not empty, is a folder that gets vmlinuz and initramfs.
	Keep string
	// Args, NoCache and Offline are those of Options.
	Args    map[string]string
	NoCache bool
	Offline bool
	// Tell takes the events; calls do not overlap.
	Tell func(Event)
}

// Boot boots the kernel of a set and judges it. The proof and the console's
// log go into the output directory, whatever the verdict; a package file alone
// gets none. A kernel that fails is no error; a run without a verdict is one
// (*boot.LimitError), and leaves an earlier proof as it is.
func Boot(ctx context.Context, o BootOptions) (boot.Proof, error) {
	b := &booting{BootOptions: o}
	b.tell(Begin, StepKernel, "%s", filepath.Base(o.Set))
	set, err := openSet(o.Set)
	if err != nil {
		return boot.Proof{}, &StepError{StepKernel, err}
	}
	if set.Foreign {
		b.tell(Warning, StepKernel, "%s is about other packages, so what it expects of the kernel does not count; --recipe says it anew", filepath.Join(set.Dir, RecordJSN))
	}
	order := boot.Order{Want: b.want(set.Record), Args: o.Append, Memory: o.Memory, Limit: o.Limit}
	if order.Kernel, err = boot.ReadKernel(set.Files, order.Want.Modules); err != nil {
		return boot.Proof{}, &StepError{StepKernel, err}
	}
	b.tell(End, StepKernel, "%s, of %s", order.Kernel.Release, order.Kernel.Package)
	if order.Witness, err = b.program(ctx, set.Record, "witness"); err != nil {
		return boot.Proof{}, &StepError{StepWitness, err}
	}
	m, done, err := b.machine(ctx, order.Want)
	if err != nil {
		return boot.Proof{}, &StepError{StepMachine, err}
	}
	defer done()
	order.Machine = m
	p, log, err := b.prove(ctx, order)
	if err != nil {
		return boot.Proof{}, &StepError{StepBoot, err}
	}
	p.Packages = set.Packages
	if set.Record != nil {
		p.PlanID = set.Record.PlanID
	}
	if set.Dir != "" {
		err = boot.Write(set.Dir, p, log)
	}
	if err != nil {
		return p, &OutputError{set.Dir, err}
	}
	return p, nil
}

// booting is one run of Boot.
type booting struct {
	BootOptions
	engine Engine
}

func (b *booting) tell(k Kind, s Step, format string, args ...any) {
	b.Tell(Event{Kind: k, Step: s, Text: fmt.Sprintf(format, args...)})
}

// want is what the kernel must show: what the recipe says, or what it said when
// the set was built.
func (b *booting) want(record *Result) recipe.Proof {
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
func (b *booting) connect(ctx context.Context) (Engine, error) {
	if b.engine != nil {
		return b.engine, nil
	}
	e, err := b.Connect(ctx)
	if err != nil {
		return nil, err
	}
	b.engine = e
	(&build{Options: Options{Engine: e, Tell: b.Tell}}).sweep(ctx)
	return e, nil
}

// program gives a compiled program: the one compiled before from the same source
// by the same image, or a new one.
func (b *booting) program(ctx context.Context, record *Result, name string) ([]byte, error) {
	image := b.compilerImage(record)
	b.tell(Begin, StepWitness, "%s, by the compiler of %s", name, image)
	program, err := boot.ReadProgram(b.Images, name)
	if err != nil {
		return nil, err
	}
	data, cached, err := b.compiled(ctx, image, program)
	if err != nil {
		return nil, err
	}
	how := "compiled"
	if cached {
		how = "from the store, compiled"
	}
	b.tell(End, StepWitness, "%s, %s by the compiler of %s, %d bytes", name, how, image, len(data))
	return data, nil
}

// compilerImage is the image whose compiler made the kernel.
func (b *booting) compilerImage(record *Result) string {
	switch {
	case record != nil:
		return record.Plan.Image
	case b.Recipe != nil:
		return b.Recipe.Image
	}
	return "debian12"
}

// compiled gives a program of the store, or compiles it and keeps it there.
func (b *booting) compiled(ctx context.Context, image string, p boot.Program) (_ []byte, cached bool, err error) {
	def, err := plan.DefineImage(b.Images, image)
	if err != nil {
		return nil, false, err
	}
	key := fmt.Sprintf("%s%x", def.Digest, sha256.Sum256([]byte(p.Compiling())))
	if f, ok := b.Store.Lookup(b.Store.Recall(p.Name, key)); ok {
		data, err := os.ReadFile(f.Path)
		return data, true, err
	}
	e, err := b.connect(ctx)
	if err != nil {
		return nil, false, err
	}
	o := &build{Options: Options{Recipe: recipe.Recipe{Image: image}, Images: b.Images, Engine: e, Args: b.Args, NoCache: b.NoCache, Offline: b.Offline, Tell: b.Tell}}
	held, err := o.ensureImage(ctx, StepWitness)
	if err != nil {
		return nil, false, err
	}
	data, err := boot.Compile(ctx, creator(e), held, plan.Topdir, p)
	if err != nil {
		return nil, false, err
	}
	return data, false, b.remember(p.Name, key, data)
}

// remember keeps a compiled program in the store.
func (b *booting) remember(kind, key string, data []byte) error {
	dir, err := b.Store.ScratchDir()
	if err != nil {
		return err
	}
	defer dir.Remove()
	path := filepath.Join(dir.Path, kind)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		return err
	}
	f, err := b.Store.Add(path)
	if err != nil {
		return err
	}
	return b.Store.Remember(kind, key, f.SHA256)
}

// creator narrows an engine to what package boot needs.
func creator(e Engine) boot.Create {
	return func(ctx context.Context, s engine.ContainerSpec) (boot.Container, error) {
		c, err := e.Create(ctx, s)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// machine chooses what runs the guest; the caller calls the function afterwards.
func (b *booting) machine(ctx context.Context, want recipe.Proof) (boot.Machine, func(), error) {
	b.tell(Begin, StepMachine, "QEMU: %s", b.QEMU)
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
	o := &build{Options: Options{Tell: b.Tell}}
	image, err := e.EnsureImage(ctx, spec, o.building(StepMachine))
	if err != nil {
		return nil, nil, err
	}
	m := boot.Box{Create: creator(e), Image: image}
	b.tell(End, StepMachine, "%s", m)
	return m, func() {}, nil
}

// host readies the host's QEMU, with a folder of its own.
func (b *booting) host(ctx context.Context, h boot.Host, want recipe.Proof) (boot.Machine, func(), error) {
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
	b.tell(End, StepMachine, "%s", h)
	return h, done, nil
}

// prove boots and judges, and keeps the guest's files where that is wanted.
func (b *booting) prove(ctx context.Context, order boot.Order) (boot.Proof, []byte, error) {
	limit := cmp.Or(b.Limit, boot.DefaultLimit)
	b.tell(Begin, StepBoot, "within %v", limit)
	if b.Keep != "" {
		if err := keep(b.Keep, order.Guest()); err != nil {
			return boot.Proof{}, nil, &OutputError{b.Keep, err}
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
	b.tell(End, StepBoot, "%d of %s passed", passed, count(len(p.Checks), "check"))
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
