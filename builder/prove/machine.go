package prove

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"namibuild/builder/boot"
	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/image"
	"namibuild/builder/recipe"
)

// These values of MachineOptions.QEMU say where QEMU runs.
const (
	QEMUAuto      = "auto" // on the host if it has QEMU, otherwise in a container
	QEMUHost      = "host"
	QEMUContainer = "container"
)

// AccelAuto is the value of MachineOptions.Accel for KVM where it works and the proof
// does not wait for anything, and TCG elsewhere: TCG skips the time in which the guest is
// idle, with KVM that time passes.
const AccelAuto = "auto"

// Engine is what this package needs of a container engine.
type Engine interface {
	// EnsureImage returns the image of a definition. It builds the image if the engine
	// does not have it.
	EnsureImage(context.Context, engine.ImageSpec, func(engine.ImageProgress)) (engine.Image, error)
	// Create makes a container and does not start it.
	Create(context.Context, engine.ContainerSpec) (boot.Container, error)
	// Sweep removes what killed processes left on the engine, and returns how much that
	// was.
	Sweep(context.Context) (int, error)
}

// Over returns an Engine that uses a real one.
func Over(e *engine.Engine) Engine { return docker{e} }

type docker struct{ *engine.Engine }

func (d docker) Create(ctx context.Context, s engine.ContainerSpec) (boot.Container, error) {
	c, err := d.Engine.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ErrNoEngine reports that a container is needed and MachineOptions.Connect is nil.
var ErrNoEngine = errors.New("no container engine was given")

// MachineOptions say which machine runs a guest, and which programs run in it.
type MachineOptions struct {
	// Recipe, if not nil, says what is expected of the kernel. Otherwise the record
	// of the set does.
	Recipe *recipe.Recipe
	// Images has the image definitions and the sources of the guest's programs.
	Images fs.FS
	Store  *fetch.Store
	// Connect opens an engine. It is called when a container is needed: to compile a
	// program for the first time, and to run QEMU if the host does not have it. If it
	// is nil, both fail with ErrNoEngine.
	Connect func(context.Context) (Engine, error)
	// QEMU is QEMUAuto, QEMUHost or QEMUContainer. Accel is AccelAuto, boot.TCG or
	// boot.KVM.
	QEMU, Accel string
	// Memory is the guest's memory in bytes, and Limit the time until the run is
	// ended. 0 is the default of package boot.
	Memory int64
	Limit  time.Duration
	// Args are build arguments for the images, such as mirrors.
	Args map[string]string
	// NoCache runs every step of an image build again.
	NoCache bool
	// Offline takes the images that the engine has, and builds none.
	Offline bool
	// Tell receives the events. A nil Tell drops them.
	Tell event.Sink
}

// connect opens the engine, once, and removes what a killed run left on it.
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

// machine chooses the machine that runs the guest. The caller calls the returned function
// when the machine is no longer needed.
func (b *run) machine(ctx context.Context, want recipe.Proof) (boot.Machine, func(), error) {
	b.Tell.Say(event.Begin, event.Machine, "QEMU: %s", b.QEMU)
	host, err := boot.FindHost(ctx)
	switch {
	case err == nil && b.QEMU != QEMUContainer:
		return b.host(ctx, host, want)
	case b.QEMU == QEMUHost:
		return nil, nil, err
	case b.Accel == string(boot.KVM):
		return nil, nil, errors.New("running under KVM: a container gets no device, so it needs a QEMU on the host")
	}
	e, err := b.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	spec := boot.QEMUImage(b.Images, b.Args)
	spec.NoCache, spec.ExistingOnly = b.NoCache, b.Offline
	made, err := e.EnsureImage(ctx, spec, image.Progress(event.Machine, b.Tell))
	if err != nil {
		return nil, nil, err
	}
	m := boot.Box{Create: e.Create, Image: made}
	b.Tell.Say(event.End, event.Machine, "%s", m)
	return m, func() {}, nil
}

// host prepares the QEMU of the host, with a folder for its files.
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
