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
)

// rngd is the path of the sidecar's program in every builder image.
const rngd = "/usr/lib/namibuild/rngd.sh"

// sidecarSettle is how long a sidecar must have run to count as started: rngd
// starts before it finds out that it may not feed the pool.
const sidecarSettle = time.Second

// Entropy says where a container's randomness comes from.
type Entropy struct {
	// Source is Rngd or Urandom, or empty if ContainerSpec.Entropy was false.
	Source string
	// Reason says why Source is not Rngd.
	Reason string
}

// provideEntropy starts rngd in a sidecar. The pool that rngd feeds is the
// kernel's, so rngd need not run in the main container, which stays without
// privileges. If the engine does not permit that, /dev/urandom is mapped into the
// main container as /dev/random.
func (c *Container) provideEntropy(ctx context.Context) ([]container.DeviceMapping, error) {
	if !c.spec.Entropy {
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

// startRngd starts the sidecar, and returns "" or the reason why it does not run.
func (c *Container) startRngd(ctx context.Context) (reason string) {
	host := sandbox()
	host.CapAdd = []string{"SYS_ADMIN"} // RNDADDENTROPY needs it: random(4)
	host.AutoRemove = true
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
