package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"
)

// requestTimeout limits a request that creates or removes something. Such a
// request is never canceled: the engine would carry it out all the same, and
// nobody would know of what it created.
const requestTimeout = 2 * time.Minute

// ContainerSpec describes a container and its limits. A limit of 0 means none.
type ContainerSpec struct {
	// Name is the first part of the container's name, before the ID of the run. It
	// may be empty.
	Name string
	// Image is an Image's Ref or ID.
	Image string
	// Command is the main process and its arguments. Env is NAME=value, and is
	// added to the image's environment.
	Command, Env []string
	Hostname     string
	// User is uid:gid, or a name of the image's /etc/passwd.
	User string
	// Topdir is an absolute path where a volume is mounted, the only folder that
	// can be uploaded to and exported from. It begins with what the image has
	// there, owner included.
	Topdir string
	// TopdirSize makes Topdir a tmpfs of so many bytes, for which the image needs
	// a /bin/cat. If it is 0, Topdir is on the engine's disk and has no limit of
	// its own: Docker's local volume driver limits a volume on disk only where its
	// folder is on xfs or ext4 with project quotas, and refuses a size elsewhere.
	TopdirSize int64
	// Memory is in bytes, and includes swap.
	Memory, Pids int64
	CPUs         float64
	// CPUSet names the processors that may be used, as "0" or "0-2". If it is
	// empty, all may.
	CPUSet string
	// Entropy asks for a /dev/random that does not block; see type Entropy.
	Entropy bool
	// Relay runs beside the main process, if it is not nil.
	Relay *Relay
	// Labels are added to those of the driver.
	Labels map[string]string
}

// Container is a container with its volume and its sidecar. It runs once. The
// caller must call Remove in every case.
type Container struct {
	engine  *Engine
	spec    ContainerSpec
	run     string
	id      string
	entropy Entropy
	notes   []string

	mu      sync.Mutex
	helpers []*process // sidecar and keeper, which run until Remove
	removed bool
}

// Create creates a container and its volume, and starts its sidecar. If it fails,
// nothing is left.
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

// assemble creates the parts of a run, the main container last.
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

// Entropy returns where the container's randomness comes from.
func (c *Container) Entropy() Entropy { return c.entropy }

// Notes returns the engine's warnings, such as limits that it could not set.
func (c *Container) Notes() []string { return c.notes }

// create creates a container of the run. The names of its containers end with
// different parts.
func (c *Container) create(ctx context.Context, part string, config *container.Config, host *container.HostConfig) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	ctx, cancel := uncancelable(ctx)
	defer cancel()
	config.Labels = c.labels()
	name := ""
	if c.spec.Name != "" {
		name = c.spec.Name + "-" + c.run + part
	}
	made, err := c.engine.client.ContainerCreate(ctx, config, host, nil, nil, name)
	for _, w := range made.Warnings {
		// The engine says of every container what it could not limit.
		if w = strings.TrimSpace(w); !slices.Contains(c.notes, w) {
			c.notes = append(c.notes, w)
		}
	}
	return made.ID, err
}

// uncancelable returns a context for a request that must be carried through,
// within requestTimeout, even if ctx ends.
func uncancelable(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
}

func (c *Container) labels() map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, c.spec.Labels)
	labels[ownerLabel] = c.engine.owner.String()
	labels[runLabel] = c.run
	return labels
}

// config returns the program of the main container.
func (c *Container) config() *container.Config {
	return &container.Config{
		Image: c.spec.Image, Entrypoint: c.spec.Command, Env: c.spec.Env,
		Hostname: c.spec.Hostname, Domainname: c.engine.domain(), User: c.spec.User,
		OpenStdin: true, StdinOnce: true,
		AttachStdin: true, AttachStdout: true, AttachStderr: true,
		StopSignal: "SIGTERM",
	}
}

// domain returns the NIS domain that the kernel shows on a host without one. In a
// user namespace the domain may not be set, and the host's remains.
func (e *Engine) domain() string {
	if e.info.Confined {
		return ""
	}
	return "(none)"
}

// hostConfig returns the main container's sandbox and limits.
func (c *Container) hostConfig() *container.HostConfig {
	host := sandbox()
	host.Resources.Memory, host.Resources.MemorySwap = c.spec.Memory, c.spec.Memory
	if c.spec.Pids > 0 {
		host.Resources.PidsLimit = &c.spec.Pids
	}
	// An engine refuses to grant more processors than it has.
	if c.spec.CPUs > 0 && c.spec.CPUs < float64(c.engine.info.CPUs) {
		host.Resources.NanoCPUs = int64(c.spec.CPUs * 1e9)
	}
	host.Resources.CpusetCpus = c.spec.CPUSet
	if c.spec.Hostname != "" { // without a network nothing else resolves the name
		host.ExtraHosts = []string{c.spec.Hostname + ":127.0.0.1"}
	}
	// 512 MiB are enough for a compiler's intermediate files. They count as memory.
	host.Tmpfs = map[string]string{"/tmp": "rw,exec,nosuid,nodev,mode=1777,size=512m"}
	return host
}

// sandbox returns what every container begins with: no network, no capabilities,
// no way to gain any, and a root file system that cannot be written.
func sandbox() *container.HostConfig {
	init := true
	return &container.HostConfig{
		NetworkMode: "none",
		// Otherwise /etc/resolv.conf would be the host's, with its domain.
		DNS: []string{"127.0.0.1"}, DNSSearch: []string{"."}, DNSOptions: []string{"ndots:1"},
		IpcMode:        "none",
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges"},
		ReadonlyRootfs: true,
		Init:           &init,
		LogConfig:      container.LogConfig{Type: "none"},
		Resources: container.Resources{Ulimits: []*container.Ulimit{
			// These are EL6's defaults. Some programs close every possible descriptor.
			{Name: "nofile", Soft: 1024, Hard: 4096},
			{Name: "core", Soft: 0, Hard: 0},
		}},
	}
}

// provideTopdir returns what to mount at Topdir. On disk that is an anonymous
// volume. A tmpfs exists only while a container has it mounted, so a container
// called the keeper has it mounted from before the upload until Remove.
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
	request, cancel := uncancelable(ctx)
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

// keep starts the keeper, a cat that waits for the end of its stdin.
func (c *Container) keep(ctx context.Context, volume mount.Mount) error {
	host := sandbox()
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
