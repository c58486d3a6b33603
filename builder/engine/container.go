package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"
)

// requestTimeout bounds one request that makes or removes something. Such a
// request is never given up half way: an engine carries it out all the same,
// and what it made would then be nobody's.
const requestTimeout = 2 * time.Minute

// ContainerSpec says what runs in a container, and within which limits. A
// limit of 0 is none.
type ContainerSpec struct {
	// Name starts the container's name; the run's id follows. May be empty.
	Name string
	// Image is an Image's Ref or ID.
	Image string
	// Command is the main process and its arguments; Env is NAME=value, on top
	// of the image's.
	Command, Env []string
	Hostname     string
	// User is uid:gid, or a name that the image's passwd has.
	User string
	// Topdir is the one folder that lasts: a volume. It takes over what the
	// image has there, owner included.
	Topdir string
	// TopdirSize 0 has Topdir on the engine's disk; otherwise it is a tmpfs of
	// so many bytes, and the image needs a /bin/cat that holds it.
	TopdirSize int64
	// Memory is in bytes, swap included.
	Memory, Pids int64
	CPUs         float64
	// CPUSet are the processors that may be used, as "0" or "0-2"; empty: all.
	CPUSet string
	// Entropy asks for a /dev/random that does not block; see Entropy.
	Entropy bool
	// Aside, if not nil, runs beside the main process.
	Aside *Aside
	// Labels come on top of the driver's own.
	Labels map[string]string
}

// Container is one container and what it brought along: its volume, its
// sidecar. It runs once. Remove must be called, whatever happened.
type Container struct {
	engine  *Engine
	spec    ContainerSpec
	run     string
	id      string
	entropy Entropy
	notes   []string

	mu      sync.Mutex
	helpers []*process // sidecar and keeper: they live until Remove
	removed bool
}

// Create makes a container and its volume, with its sidecar already running.
// When it fails nothing is left.
func (e *Engine) Create(ctx context.Context, s ContainerSpec) (*Container, error) {
	c := &Container{engine: e, spec: s, run: strings.ToLower(rand.Text()[:16])}
	err := c.assemble(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// assemble makes the parts of a run, the main container last.
func (c *Container) assemble(ctx context.Context) error {
	devices, err := c.provideEntropy(ctx)
	if err != nil {
		return fmt.Errorf("creating sidecar: %w", err)
	}
	topdir, err := c.provideTopdir(ctx)
	if err != nil {
		return fmt.Errorf("creating volume for %s: %w", c.spec.Topdir, err)
	}
	host := c.hostConfig()
	host.Devices, host.Mounts = devices, []mount.Mount{topdir}
	if c.id, err = c.create(ctx, "", c.config(), host); err != nil {
		return fmt.Errorf("creating container: %w", err)
	}
	return nil
}

// Entropy says where the container's randomness comes from.
func (c *Container) Entropy() Entropy { return c.entropy }

// Notes are the limits that this engine could not set, in its own words.
func (c *Container) Notes() []string { return c.notes }

// create makes one container of the run; part tells it from the others.
func (c *Container) create(ctx context.Context, part string, config *container.Config, host *container.HostConfig) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	ctx, cancel := whole(ctx)
	defer cancel()
	config.Labels = c.labels()
	name := ""
	if c.spec.Name != "" {
		name = c.spec.Name + "-" + c.run + part
	}
	made, err := c.engine.client.ContainerCreate(ctx, config, host, nil, nil, name)
	for _, w := range made.Warnings {
		c.notes = append(c.notes, strings.TrimSpace(w))
	}
	return made.ID, err
}

// whole is a context that a request is carried through with, come what may.
func whole(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
}

func (c *Container) labels() map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, c.spec.Labels)
	labels[ownerLabel] = c.engine.owner.String()
	labels[runLabel] = c.run
	return labels
}

// config is the program of the main container.
func (c *Container) config() *container.Config {
	return &container.Config{
		Image: c.spec.Image, Entrypoint: c.spec.Command, Env: c.spec.Env,
		Hostname: c.spec.Hostname, Domainname: c.engine.domain(), User: c.spec.User,
		OpenStdin: true, StdinOnce: true,
		AttachStdin: true, AttachStdout: true, AttachStderr: true,
		StopSignal: "SIGTERM",
	}
}

// domain is the NIS domain: that of a host which has none, as the kernel spells
// it. In a user namespace it may not be set, and is the host's.
func (e *Engine) domain() string {
	if e.info.Confined {
		return ""
	}
	return "(none)"
}

// hostConfig is the main container's cage.
func (c *Container) hostConfig() *container.HostConfig {
	host := cage()
	host.Resources.Memory, host.Resources.MemorySwap = c.spec.Memory, c.spec.Memory
	if c.spec.Pids > 0 {
		host.Resources.PidsLimit = &c.spec.Pids
	}
	// an engine refuses to grant more processors than it has
	if c.spec.CPUs > 0 && c.spec.CPUs < float64(c.engine.info.CPUs) {
		host.Resources.NanoCPUs = int64(c.spec.CPUs * 1e9)
	}
	host.Resources.CpusetCpus = c.spec.CPUSet
	if c.spec.Hostname != "" { // without a network nothing else would know the name
		host.ExtraHosts = []string{c.spec.Hostname + ":127.0.0.1"}
	}
	// 512 MiB: a compiler's intermediate files; it counts as memory
	host.Tmpfs = map[string]string{"/tmp": "rw,exec,nosuid,nodev,mode=1777,size=512m"}
	return host
}

// cage is what every container of ours is in: no network, no capability, no
// way to gain any, nothing that may be written.
func cage() *container.HostConfig {
	init := true
	return &container.HostConfig{
		NetworkMode: "none",
		// else /etc/resolv.conf would be the host's, with its domain
		DNS: []string{"127.0.0.1"}, DNSSearch: []string{"."}, DNSOptions: []string{"ndots:1"},
		IpcMode:        "none",
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges"},
		ReadonlyRootfs: true,
		Init:           &init,
		LogConfig:      container.LogConfig{Type: "none"},
		Resources: container.Resources{Ulimits: []*container.Ulimit{
			// EL6's defaults: some programs close every descriptor there is
			{Name: "nofile", Soft: 1024, Hard: 4096},
			{Name: "core", Soft: 0, Hard: 0},
		}},
	}
}

// provideTopdir says what to mount at Topdir. On disk that is an anonymous
// volume. A tmpfs lives only while some container has it mounted: a keeper
// holds it from before the upload until after the export.
func (c *Container) provideTopdir(ctx context.Context) (mount.Mount, error) {
	if !path.IsAbs(c.spec.Topdir) {
		return mount.Mount{}, fmt.Errorf("topdir %q: want an absolute path", c.spec.Topdir)
	}
	topdir := mount.Mount{Type: mount.TypeVolume, Target: c.spec.Topdir, VolumeOptions: &mount.VolumeOptions{Labels: c.labels()}}
	if c.spec.TopdirSize == 0 {
		return topdir, nil
	}
	if err := ctx.Err(); err != nil {
		return mount.Mount{}, err
	}
	request, cancel := whole(ctx)
	defer cancel()
	made, err := c.engine.client.VolumeCreate(request, volume.CreateOptions{
		Driver: "local", Labels: c.labels(),
		DriverOpts: map[string]string{"type": "tmpfs", "device": "tmpfs", "o": fmt.Sprintf("size=%d", c.spec.TopdirSize)},
	})
	if err != nil {
		return mount.Mount{}, err
	}
	topdir.Source = made.Name
	return topdir, c.keep(ctx, topdir)
}

// keep starts the keeper: a cat that waits for the end of its stdin.
func (c *Container) keep(ctx context.Context, volume mount.Mount) error {
	host := cage()
	host.AutoRemove, host.Mounts = true, []mount.Mount{volume}
	config := c.config()
	config.Entrypoint, config.Env = []string{"/bin/cat"}, nil
	_, err := c.startHelper(ctx, "-keeper", config, host)
	return err
}

// startHelper creates and starts a container beside the main one.
func (c *Container) startHelper(ctx context.Context, part string, config *container.Config, host *container.HostConfig) (*process, error) {
	id, err := c.create(ctx, part, config, host)
	if err != nil {
		return nil, err
	}
	p, err := c.engine.launch(ctx, id, nil)
	if err != nil {
		return nil, err
	}
	c.helpers = append(c.helpers, p)
	return p, nil
}
