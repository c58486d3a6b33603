package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// The sources of a container's randomness.
const (
	Rngd    = "rngd in a sidecar container"
	Urandom = "/dev/urandom mapped over /dev/random"
	Kernel  = "the kernel's /dev/random, which does not block"
)

// rngd is the path of the sidecar's program in every builder image.
const rngd = "/usr/lib/namibuild/rngd.sh"

// sidecarSettle is how long a sidecar must have run to count as started: rngd
// starts before it finds out that it may not feed the pool.
const sidecarSettle = time.Second

// The limits of a sidecar: rngd, a shell and a cat take 5 MB and 5 processes.
const (
	sidecarMemory = 64 << 20
	sidecarPids   = 32
)

// Entropy says where a container's randomness comes from.
type Entropy struct {
	// Source is Kernel, Rngd or Urandom, or empty if ContainerSpec.Entropy was false.
	Source string
	// Reason says why Source is not Rngd.
	Reason string
}

// provideEntropy starts rngd in a sidecar if the kernel's /dev/random can block.
// The pool that rngd feeds is the kernel's, so rngd need not run in the main
// container, which stays without privileges. If the engine does not permit that,
// /dev/urandom is mapped into the main container as /dev/random.
func (c *Container) provideEntropy(ctx context.Context) ([]container.DeviceMapping, error) {
	if !c.spec.Entropy {
		return nil, nil
	}
	if kernel := c.engine.info.Kernel; !c.engine.forceRngd && neverBlocks(kernel) {
		c.entropy = Entropy{Source: Kernel, Reason: fmt.Sprintf("Linux %s does not block on /dev/random", kernel)}
		return nil, nil
	}
	reason := c.startRngd(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if reason == "" {
		c.entropy = Entropy{Source: Rngd}
		return nil, nil
	}
	c.entropy = Entropy{Source: Urandom, Reason: reason}
	return []container.DeviceMapping{{PathOnHost: "/dev/urandom", PathInContainer: "/dev/random", CgroupPermissions: "rwm"}}, nil
}

// neverBlocks reports whether /dev/random of a kernel gives bytes without limit
// once the pool is initialized, which it is long before an engine runs. That is
// so from Linux 5.6 on (commit 30c08efec888). It returns false if the version is
// not understood.
func neverBlocks(kernel string) bool {
	var major, minor int
	if n, _ := fmt.Sscanf(kernel, "%d.%d", &major, &minor); n != 2 {
		return false
	}
	return major > 5 || major == 5 && minor >= 6
}

// startRngd starts the sidecar, and returns "" or the reason why it does not run.
func (c *Container) startRngd(ctx context.Context) (reason string) {
	host, err := sidecarConfig()
	if err != nil {
		return err.Error()
	}
	config := c.config()
	config.Entrypoint, config.Env, config.User = []string{rngd}, nil, "0:0"
	p, err := c.startHelper(ctx, "-rngd", config, host)
	if err != nil {
		return err.Error()
	}
	select {
	case <-ctx.Done():
	case <-time.After(sidecarSettle):
	case end := <-p.exited:
		return p.exitReason(end)
	}
	return ""
}

// sidecarConfig returns the sidecar's sandbox. Its capability would permit to
// mount, and on some hosts to leave the container, so the system calls that it
// is for are denied; see sidecarProfile.
func sidecarConfig() (*container.HostConfig, error) {
	profile, err := sidecarProfile()
	if err != nil {
		return nil, err
	}
	host := sandbox()
	host.AutoRemove = true
	host.CapAdd = []string{"SYS_ADMIN"} // RNDADDENTROPY needs it: random(4)
	host.SecurityOpt = append(host.SecurityOpt, "seccomp="+profile)
	host.Resources.Memory, host.Resources.MemorySwap = sidecarMemory, sidecarMemory
	pids := int64(sidecarPids)
	host.Resources.PidsLimit = &pids
	return host, nil
}

// exitReason returns why a helper ended: its last line of output, if there is one.
func (p *process) exitReason(end exitResult) string {
	select {
	case <-p.drained:
	case <-time.After(sidecarSettle):
	}
	if end.err != nil {
		return end.err.Error()
	}
	lines := strings.Split(strings.TrimSpace(p.tail.String()), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return fmt.Sprintf("%s (exit status %d)", last, end.code)
	}
	return fmt.Sprintf("exit status %d", end.code)
}
